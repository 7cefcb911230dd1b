import {
  acceptConnection,
  type Arguments,
  type ArgumentTable,
  checkArguments,
  connection,
  optional,
  optionalBoolean,
  requiredUuid,
} from "./arguments";
import type { ConnectionInputs } from "./connection";
import { Problems } from "./problems";
import { isUnknown } from "./unknown";
import { warnOnce } from "./warn-once";

/** The inputs of a `XenIsoAttachment` as they are stored. */
export interface IsoAttachmentInputs {
  readonly vmUuid: string;
  readonly vdiUuid: string;
  readonly device?: string;
  readonly replaceMedia?: boolean;
  readonly once?: boolean;
  readonly connection?: ConnectionInputs;
  /** URN of the resource, added by its class. */
  readonly owner: string;
}

const ARGUMENTS: ArgumentTable<Exclude<keyof IsoAttachmentInputs, "owner">> = {
  rules: {
    vmUuid: requiredUuid,
    vdiUuid: requiredUuid,
    device: optional(deviceProblem),
    replaceMedia: optionalBoolean,
    once: optionalBoolean,
    connection,
  },
};

/** Checks the arguments without the network; values that are not known yet at preview are left for the up. */
export async function checkIsoAttachment(given: Arguments) {
  const problems = new Problems();
  const args = checkArguments(given, ARGUMENTS, problems);
  if (problems.failures.length === 0) {
    await acceptConnection(args, problems);
    const { device, owner } = args;
    if (!isUnknown(device) && Number(device) > 3)
      await warnOnce(
        owner,
        `device: a guest with hardware virtualisation sees only the drives "0" to "3" until its own drivers are loaded; it does not boot from "${String(device)}".`,
      );
  }
  return { inputs: args, failures: problems.failures };
}

function deviceProblem(device: unknown): string | undefined {
  return typeof device === "string" && /^(\d|1[0-5])$/.test(device)
    ? undefined
    : 'must be the number of a slot as a string, "0" to "15"; that of a CD drive is usually "3"';
}
