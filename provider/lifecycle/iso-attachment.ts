import type { CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic";
import {
  attachIso,
  type Attachment,
  AttachmentIncompleteError,
  type AttachmentRequest,
  detachIso,
  readAttachment,
} from "../host/iso-attachment";
import { CreatedButFailedError } from "./engine-error";
import { warn } from "./engine-log";
import { assertWanted } from "./engine-watch";
import type { IsoAttachmentInputs } from "./iso-attachment-inputs";
import { hostOf, isConnectionChanged, logIn, plannedHost, type ReachedHost } from "./reached-host";
import { unlessHostIsGone } from "./unreachable";

/**
 * The outputs of a `XenIsoAttachment` as they are stored. `vdiUuid` is the disc that the last refresh found in
 * the drive, empty if there was none.
 */
export interface IsoAttachmentState extends IsoAttachmentInputs, Attachment, ReachedHost {
  readonly device: string;
  /**
   * `incomplete` after a failure whose rollback could not finish: the next up clears what is left, and starts
   * again.
   */
  readonly status: "ready" | "incomplete";
}

/** Arguments whose change always replaces the attachment: the schema of the plugin says so too. */
export const REPLACING = ["vmUuid"] as const;

/** Changing any of these changes only the state. */
const STORED_ONLY = ["once", "replaceMedia"] as const;

export async function create(inputs: IsoAttachmentInputs): Promise<CreateResult<IsoAttachmentState>> {
  const { host, reached } = await logIn(inputs);
  const made = { ...inputs, ...reached };
  try {
    const attachment = await attachIso(host, requestOf(inputs));
    return { id: idOf(attachment), outs: { ...made, ...attachment, status: "ready" } };
  } catch (error) {
    throw toEngineError(error, (left) => ({ id: idOf(left), properties: { ...made, ...left } }));
  }
}

/** The outputs that are known before the disc is inserted. */
export function preview(inputs: IsoAttachmentInputs): Partial<IsoAttachmentState> {
  return { ...inputs, ...plannedHost(inputs) };
}

/** Exchanges the disc in the same drive. If only the connection changed, the drive stays as it is. */
export async function update(
  id: string,
  olds: IsoAttachmentState,
  news: IsoAttachmentInputs,
): Promise<UpdateResult<IsoAttachmentState>> {
  const { host, reached } = await logIn(news);
  const made = { ...news, ...reached };
  try {
    const attachment = isInsertDue(olds, news)
      ? await attachIso(host, requestOf(news), attachmentOf(olds))
      : attachmentOf(olds);
    return { outs: { ...made, ...attachment, status: "ready" } };
  } catch (error) {
    throw toEngineError(error, (left) => ({ id, properties: { ...made, ...left } }));
  }
}

export async function read(id: string, state: IsoAttachmentState): Promise<ReadResult<IsoAttachmentState>> {
  const found = await readAttachment(await hostOf(state), state);
  if (found.state === "no VM") return { id: "" };
  if (state.once) return { id, props: state };
  if (found.state === "no drive") return { id: "" };
  return { id, props: { ...state, vdiUuid: found.vdiUuid } };
}

export async function remove(state: IsoAttachmentState): Promise<void> {
  const { owner, host, vmUuid, vbdUuid } = state;
  const what = `the disc in CD drive ${vbdUuid} of VM ${vmUuid}`;
  const left = { owner, host, what, remedy: `xe vbd-eject uuid=${vbdUuid}` };
  await unlessHostIsGone(left, () => detach(state));
}

async function detach(state: IsoAttachmentState): Promise<void> {
  const { leftVbdUuid } = await detachIso(await hostOf(state), state);
  if (leftVbdUuid)
    await warn(
      state.owner,
      `The CD drive that was made for the disc stays in VM ${state.vmUuid}, which runs or has another disc in it. ` +
        `Once it is halted, \`xe vbd-destroy uuid=${leftVbdUuid}\` removes the drive.`,
    );
}

export function diff(olds: IsoAttachmentState, news: IsoAttachmentInputs): DiffResult {
  const replaces = [
    ...REPLACING.filter((name) => news[name] !== olds[name]),
    ...(news.device === undefined || news.device === olds.device ? [] : ["device"]),
    ...(olds.status === "ready" ? [] : ["status"]),
  ];
  const changes =
    replaces.length > 0 ||
    isInsertDue(olds, news) ||
    isConnectionChanged(olds, news) ||
    STORED_ONLY.some((name) => (olds[name] ?? false) !== (news[name] ?? false));
  // The new attachment may use the drive of the old one, whose delete would then eject the new disc.
  return { changes, replaces, deleteBeforeReplace: true };
}

/** Whether another disc is wanted, or the inserted one is no longer in the drive and `once` is not set. */
function isInsertDue(olds: IsoAttachmentState, { vdiUuid, once }: IsoAttachmentInputs): boolean {
  return !olds.insertedVdiUuids.includes(vdiUuid) || (!once && olds.vdiUuid !== vdiUuid);
}

function requestOf({ owner, vmUuid, vdiUuid, device, replaceMedia }: IsoAttachmentInputs): AttachmentRequest {
  return { owner, vmUuid, vdiUuid, device, replaceMedia, assertWanted };
}

function attachmentOf(state: IsoAttachmentState): Attachment {
  const { vmUuid, device, vbdUuid, driveCreated, insertedVdiUuids, replacedVdiUuid } = state;
  return {
    ...{ vmUuid, device, driveCreated, insertedVdiUuids },
    ...(vbdUuid && { vbdUuid }),
    ...(replacedVdiUuid && { replacedVdiUuid }),
  };
}

function idOf({ vmUuid, vbdUuid, device }: Attachment): string {
  return `${vmUuid}/${vbdUuid ?? device}`;
}

/** Records what stayed on the host. */
function toEngineError(
  error: unknown,
  stored: (left: Attachment) => { id: string; properties: object },
): unknown {
  if (!(error instanceof AttachmentIncompleteError)) return error;
  const { id, properties } = stored(error.left);
  return new CreatedButFailedError(id, { ...properties, status: "incomplete" }, error);
}
