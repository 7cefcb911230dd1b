import { channel } from "node:diagnostics_channel";

/** What an operation on a host is at, for whoever shows it. */
export type Progress =
  /** Of a stream the total may be unknown. */
  | { readonly step: "uploading"; readonly sentBytes: number; readonly totalBytes?: number }
  | { readonly step: "creating SR" }
  | { readonly step: "waiting for VDI"; readonly attempt: number }
  | { readonly step: "ejecting"; readonly holder: string }
  | { readonly step: "waiting for another create of the same resource" };

/** Published to by {@link report}, in the asynchronous context of the operation; each message a {@link Progress}. */
export const progressChannel = channel("pulumi-xen-iso:progress");

/** Tells what the operation under way is at; costs nothing where nobody listens. */
export function report(progress: Progress): void {
  if (progressChannel.hasSubscribers) progressChannel.publish(progress);
}
