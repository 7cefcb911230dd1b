import { promises as fs } from "node:fs";
import { join } from "node:path";

/** Where a host's files lie on this machine. */
export interface HostFiles {
  /** Path on this machine of an absolute path on the host. */
  path(hostPath: string): string;
}

/** A disc that a scan found. */
export interface FoundDisc {
  /** The file's name. */
  readonly location: string;
  readonly nameLabel: string;
  readonly sizeBytes: number;
  /** The UUID that the file's name demands, upper case kept. */
  readonly uuid: string | undefined;
  readonly isToolsIso: boolean;
}

const DISC = /\.(iso|img)$/i;
const NAMED_BY_UUID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:iso|img)/i;
const TOOLS = /^(xs-tools|guest-tools)/;

/** Whether the folder is there as a folder. */
export async function isFolder(files: HostFiles, location: string): Promise<boolean> {
  return fs.stat(files.path(location)).then(
    (stat) => stat.isDirectory(),
    () => false,
  );
}

/**
 * The discs in a folder of a host, read as the driver reads it: whatever has the right ending and is not a
 * folder, a broken link too; names that are not ASCII are passed over, because sm runs without a locale.
 *
 * @see xapi-project/sm: libs/sm/drivers/ISOSR.py
 */
export async function readIsoFolder(files: HostFiles, location: string): Promise<FoundDisc[]> {
  const folder = files.path(location);
  const names = (await fs.readdir(folder)).filter((name) => DISC.test(name) && /^[\x20-\x7e]*$/.test(name));
  const discs = names.sort().map(async (name): Promise<FoundDisc | undefined> => {
    const stat = await fs.stat(join(folder, name)).catch(() => undefined);
    if (stat?.isDirectory()) return undefined;
    const tools = TOOLS.exec(name)?.[1];
    return {
      location: name,
      nameLabel: tools ? `${tools}.iso` : name,
      sizeBytes: stat?.size ?? 0,
      uuid: NAMED_BY_UUID.exec(name)?.[1],
      isToolsIso: tools !== undefined,
    };
  });
  return (await Promise.all(discs)).filter((disc) => disc !== undefined);
}
