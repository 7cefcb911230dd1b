/** The providers of all resources, used by the serialised dynamic providers and by the provider plugin. */
import type {
  CheckResult,
  ConfigureRequest,
  CreateResult,
  DiffResult,
  ReadResult,
  UpdateResult,
} from "@pulumi/pulumi/dynamic";
import * as connection from "./connection";
import { atEngine } from "./engine-error";
import { watchEngine } from "./engine-watch";
import { checkTempIso, type TempIsoInputs } from "./inputs";
import * as attachment from "./iso-attachment";
import { checkIsoAttachment, type IsoAttachmentInputs } from "./iso-attachment-inputs";
import * as release from "./iso-release";
import * as lifecycle from "./temp-iso";
import type { TempIsoState } from "./temp-iso";

/** Reads the stack's configuration before it returns: the host does not await the promise. */
export function configure({ config }: ConfigureRequest): Promise<void> {
  connection.configure(config);
  watchEngine();
  return Promise.resolve();
}

/** The lifecycle of a `XenTempIso`. */
export const tempIso = {
  configure,
  check: (olds: Record<string, unknown>, news: Record<string, unknown>): Promise<CheckResult> =>
    atEngine(() => checkTempIso(olds, news)),
  diff: (_id: string, olds: TempIsoState, news: TempIsoInputs): Promise<DiffResult> =>
    atEngine(() => lifecycle.diff(olds, news)),
  create: (inputs: TempIsoInputs): Promise<CreateResult<TempIsoState>> =>
    atEngine(() => lifecycle.create(inputs), inputs.owner),
  preview: (inputs: TempIsoInputs) => atEngine(() => lifecycle.preview(inputs)),
  import: (id: string) => atEngine(() => lifecycle.find(id)),
  read: (id: string, state: TempIsoState): Promise<ReadResult<TempIsoState>> =>
    atEngine(() => lifecycle.read(id, state), state.owner),
  update: (_id: string, olds: TempIsoState, news: TempIsoInputs): Promise<UpdateResult<TempIsoState>> =>
    atEngine(() => lifecycle.update(olds, news), news.owner),
  delete: (_id: string, state: TempIsoState): Promise<void> =>
    atEngine(() => lifecycle.remove(state), state.owner),
};

/** The lifecycle of a `XenIsoAttachment`. */
export const isoAttachment = {
  configure,
  check: (_olds: Record<string, unknown>, news: Record<string, unknown>): Promise<CheckResult> =>
    atEngine(() => checkIsoAttachment(news)),
  diff: (_id: string, olds: attachment.IsoAttachmentState, news: IsoAttachmentInputs): Promise<DiffResult> =>
    atEngine(() => attachment.diff(olds, news)),
  create: (inputs: IsoAttachmentInputs): Promise<CreateResult<attachment.IsoAttachmentState>> =>
    atEngine(() => attachment.create(inputs), inputs.owner),
  preview: (inputs: IsoAttachmentInputs) => atEngine(() => attachment.preview(inputs)),
  read: (
    id: string,
    state: attachment.IsoAttachmentState,
  ): Promise<ReadResult<attachment.IsoAttachmentState>> =>
    atEngine(() => attachment.read(id, state), state.owner),
  update: (
    id: string,
    olds: attachment.IsoAttachmentState,
    news: IsoAttachmentInputs,
  ): Promise<UpdateResult<attachment.IsoAttachmentState>> =>
    atEngine(() => attachment.update(id, olds, news), news.owner),
  delete: (_id: string, state: attachment.IsoAttachmentState): Promise<void> =>
    atEngine(() => attachment.remove(state), state.owner),
};

/** The lifecycle of a `XenIsoRelease`. Its delete does nothing, because nothing is left to delete. */
export const isoRelease = {
  configure,
  check: (_olds: Record<string, unknown>, news: Record<string, unknown>): Promise<CheckResult> =>
    atEngine(() => release.checkIsoRelease(news)),
  diff: (_id: string, olds: release.IsoReleaseState, news: release.IsoReleaseInputs): Promise<DiffResult> =>
    atEngine(() => release.diff(olds, news)),
  create: (inputs: release.IsoReleaseInputs): Promise<CreateResult<release.IsoReleaseState>> =>
    atEngine(() => release.create(inputs), inputs.owner),
  preview: (inputs: release.IsoReleaseInputs) => atEngine(() => release.preview(inputs)),
  read: (id: string, state: release.IsoReleaseState): Promise<ReadResult<release.IsoReleaseState>> =>
    atEngine(() => release.read(id, state), state.owner),
  update: (
    _id: string,
    olds: release.IsoReleaseState,
    news: release.IsoReleaseInputs,
  ): Promise<UpdateResult<release.IsoReleaseState>> => atEngine(() => release.update(olds, news), news.owner),
  delete: (): Promise<void> => Promise.resolve(),
};
