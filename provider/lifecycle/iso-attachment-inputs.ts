import { checkBoolean, checkHost, checkUuid, refuseUnknownArguments } from "./arguments";
import type { ConnectionInputs } from "./connection";
import { Problems } from "./problems";
import { isUnknown } from "./unknown";

/** The inputs of a `XenIsoAttachment` as they are stored. */
export interface IsoAttachmentInputs {
  readonly vmUuid: string;
  readonly vdiUuid: string;
  readonly device?: string;
  readonly replaceMedia?: boolean;
  readonly once?: boolean;
  readonly connection?: ConnectionInputs;
  /** URN of the resource, given by its class. */
  readonly owner: string;
}

const ARGUMENTS = ["vmUuid", "vdiUuid", "device", "replaceMedia", "once", "connection"];

/** Checks the arguments without the network; whatever is not known yet at preview is left for the up. */
export async function checkIsoAttachment(news: Record<string, unknown>) {
  const problems = new Problems();
  refuseUnknownArguments(news, { className: "XenIsoAttachment", names: ARGUMENTS }, problems);
  checkUuid(news, "vmUuid", problems);
  checkUuid(news, "vdiUuid", problems);
  checkDevice(news["device"], problems);
  checkBoolean(news, "replaceMedia", problems);
  checkBoolean(news, "once", problems);
  await checkHost(news, problems);
  return { inputs: news, failures: problems.failures };
}

function checkDevice(device: unknown, problems: Problems): void {
  if (device === undefined || isUnknown(device)) return;
  if (typeof device !== "string" || !/^(\d|1[0-5])$/.test(device))
    problems.add("device", 'takes the number of a slot as text, "0" to "15"; a CD drive\'s is usually "3"');
}
