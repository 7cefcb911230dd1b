import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { HostError, withHostWords } from "./error";
import { FILE, type Folder } from "./folder";
import { ownerIn } from "./marker";
import { parseLines } from "./protocol";
import { remote } from "./remote";

/** A folder in a mount path that has a UUID for its name. */
export interface FoundFolder {
  readonly folder: Folder;
  /** As `stat -c %a` prints it. Folders of this package have 700. */
  readonly mode: string;
  /** The marker; present until the create ends. */
  readonly marker: FoundMarker | undefined;
  /** URN of the disc's resource, if a release of it has begun. */
  readonly releasedOwner: string | undefined;
  /** The image, or the part of it that has arrived. */
  readonly image: FoundFile | undefined;
  /** Whether it holds a file that this package does not create. */
  readonly hasOthers: boolean;
  readonly ageSeconds: number;
}

/** The marker of a create. */
export interface FoundMarker {
  /** URN of the resource. */
  readonly owner: string;
  readonly isoName: string;
  /** Whether it is of a copy of a pool-wide disc to a host that lacks it. */
  readonly isCopy: boolean;
  /** Whether a create is running in the folder: its session lives, and its lease was renewed. */
  readonly isUnderWay: boolean;
}

/** A regular file. */
export interface FoundFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly ageSeconds: number;
}

const TIMEOUT_MS = 120_000;

/**
 * Lists the folders in `srMountPath` that have a UUID for their name. Changes nothing.
 *
 * @returns nothing if there is no such mount path
 * @throws `HostError` `FOLDER_FAILED` if the lock cannot be had
 */
export async function scanFolders(host: SharedConnection, srMountPath: string): Promise<FoundFolder[]> {
  const options = { purpose: "look for folders", timeoutMs: TIMEOUT_MS };
  const result = await host.exec(remote(sh`scan_folders ${srMountPath}`), options);
  if (result.status !== 0) {
    const message = `${srMountPath} on ${host.address} could not be searched. Run the command again once no other run makes folders there.`;
    throw new HostError("FOLDER_FAILED", host.address, withHostWords(message, result));
  }
  return parseScan(result.stdout, srMountPath);
}

/** Reads what `scan_folders` printed. */
export function parseScan(stdout: string, srMountPath: string): FoundFolder[] {
  return stdout
    .split("\n\n")
    .filter((paragraph) => paragraph.includes("folder="))
    .map((paragraph) => parseFolder(paragraph, srMountPath));
}

function parseFolder(paragraph: string, srMountPath: string): FoundFolder {
  const lines = parseLines(paragraph);
  const first = (key: string) => lines.find((line) => line.key === key)?.value;
  const owner = first("owner");
  const files = lines.filter(({ key }) => key === "file").map(({ value }) => parseFile(value));
  const images = files.filter(({ name }) => name.endsWith(".iso"));
  const own: readonly string[] = Object.values(FILE);
  const others = files.filter((file) => !own.includes(file.name) && !images.includes(file));
  return {
    folder: { srMountPath, uuid: first("folder") ?? "" },
    mode: first("mode") ?? "",
    marker:
      owner === undefined
        ? undefined
        : {
            ...ownerIn(owner),
            isoName: first("iso") ?? "",
            isUnderWay: first("under-way") !== undefined,
          },
    releasedOwner: first("released"),
    image: images[0] ?? files.find(({ name }) => name === FILE.upload),
    hasOthers: first("other") !== undefined || others.length > 0 || images.length > 1,
    ageSeconds: Number(first("age")),
  };
}

function parseFile(text: string): FoundFile {
  const [, size, age, name = ""] = /^(\d+) (-?\d+) (.*)$/.exec(text) ?? [];
  return { name, sizeBytes: Number(size), ageSeconds: Number(age) };
}
