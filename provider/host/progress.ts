import { channel } from "node:diagnostics_channel";

/** The current step of an operation on a host, to be shown. */
export type Progress =
  /** Here, not on a host. The total of a compressed image is unknown. */
  | { readonly step: "downloading"; readonly receivedBytes: number; readonly totalBytes: number | undefined }
  /** The total of a stream may be unknown. */
  | { readonly step: "uploading"; readonly sentBytes: number; readonly totalBytes?: number }
  | { readonly step: "creating SR" }
  | { readonly step: "waiting for VDI"; readonly attempt: number }
  | { readonly step: "ejecting"; readonly holder: string }
  | { readonly step: "waiting for another create of the same resource" };

/**
 * {@link report} publishes here, in the asynchronous context of the operation; each message is a {@link
 * Progress}.
 */
export const progressChannel = channel("pulumi-xen-iso:progress");

/** Reports the current step of the operation. Costs nothing if nobody listens. */
export function report(progress: Progress): void {
  if (progressChannel.hasSubscribers) progressChannel.publish(progress);
}
