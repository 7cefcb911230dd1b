import { v4 as uuidv4 } from "uuid";
import type { Folder } from "../host/folder";
import { defaultIsoName, nameOf, type TempIsoInputs } from "./inputs";
import type { StoredPoolHost } from "./pool-hosts";
import type { ReachedHost } from "./reached-host";
import type { TempIsoStatus } from "./temp-iso-status";

/** The outputs of a `XenTempIso` as they are stored. */
export interface TempIsoState extends TempIsoInputs, ReachedHost {
  readonly srName: string;
  readonly isoName: string;
  /** Absolute folder on the host. */
  readonly srPath: string;
  /** In bytes. */
  readonly isoSize: number;
  readonly status: TempIsoStatus;
  /** INSTALLATION_UUID. Like the fields below, unknown while `incomplete`. */
  readonly hostUuid?: string;
  readonly srUuid?: string;
  readonly pbdUuid?: string;
  readonly vdiUuid?: string;
  /** With `poolWide`, the hosts that have the disc. */
  readonly hosts?: readonly StoredPoolHost[];
}

type Made = Omit<TempIsoState, Exclude<keyof TempIsoInputs, "srName" | "isoName"> | keyof ReachedHost>;

/**
 * What create made or chose, and an update keeps. Everything else is stored as the program gives it now: the
 * engine knows a secret by its place in the inputs, and would store in plain one that is no longer there.
 */
const MADE: Readonly<Record<keyof Made, true>> = {
  srName: true,
  isoName: true,
  srPath: true,
  isoSize: true,
  status: true,
  hostUuid: true,
  srUuid: true,
  pbdUuid: true,
  vdiUuid: true,
  hosts: true,
};

/** What create chooses if the program does not. */
export function chosenFor({ owner, srMountPath, srName, isoName, nonce }: TempIsoInputs): {
  folder: Folder;
  chosen: Pick<TempIsoState, "srName" | "isoName" | "srPath">;
} {
  const uuid = nonce ?? uuidv4();
  return {
    folder: { srMountPath, uuid },
    chosen: {
      srName: srName ?? `${nameOf(owner)}-${uuid.slice(0, 8)}`,
      isoName: isoName ?? defaultIsoName(owner, srMountPath, uuid),
      srPath: `${srMountPath}/${uuid}`,
    },
  };
}

/** The state after an update. */
export function updatedState(olds: TempIsoState, news: TempIsoInputs, reached: ReachedHost): TempIsoState {
  const made = Object.fromEntries(Object.entries(olds).filter(([name]) => name in MADE)) as unknown as Made;
  // For an image at a URL, only create finds it.
  const isoSha256 = news.isoSha256 ?? olds.isoSha256;
  return { ...news, ...made, ...(isoSha256 && { isoSha256 }), ...reached };
}

/** For messages about what stays on a host. */
export function whatIsLeft({ srUuid, srPath, isoName }: TempIsoState): string {
  return `${srUuid ? `SR ${srUuid}, ` : ""}${srPath}/${isoName}`;
}
