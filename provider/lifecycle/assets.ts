import { type Dirent, readdirSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { parseChecksum } from "../source/checksum";
import { localPathOf } from "./locations";
import type { Problems } from "./problems";

/** The property that marks Pulumi's own types, and its values for an asset and an archive. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";

/**
 * `files` of a disc in plain values, where a program gave Pulumi's assets or archives. A provider receives those as
 * objects with a signature. Anything else is returned as it is.
 *
 * @see pulumi/pulumi: sdk/go/common/resource/asset/asset.go, archive.go, `Serialize`
 */
export function withoutAssets(files: unknown, problems: Problems): unknown {
  if (isArchive(files)) return filesOf(files, "files", problems);
  if (!isRecord(files)) return files;
  const entries = Object.entries(files).map(([path, file]) => {
    const argument = `files[${JSON.stringify(path)}]`;
    if (!isArchive(file)) return [path, fileOf(file)] as const;
    problems.add(
      argument,
      "is a Pulumi archive; give the archive as `files` itself, or put it into an AssetArchive with the other files",
    );
    return [path, ""] as const;
  });
  return Object.fromEntries(entries);
}

type Signed = Readonly<Record<string, unknown>>;

function fileOf(file: unknown): unknown {
  return isSigned(file, ASSET) ? fileOfAsset(file) : file;
}

/** What `files` takes in the place of an asset. Pulumi has read a RemoteAsset, and gives its hash. */
export function fileOfAsset({ path, uri, text = "", hash }: Signed): unknown {
  if (typeof path === "string" && path !== "") return { path };
  if (typeof uri !== "string" || uri === "") return text;
  const local = uri.startsWith("file:") ? localPathOf(uri) : undefined;
  if (local !== undefined) return { path: local };
  const checksum = `sha256:${String(hash)}`;
  return parseChecksum(checksum) ? { url: uri, checksum } : { url: uri };
}

function filesOf(archive: Signed, argument: string, problems: Problems): Record<string, unknown> {
  const { path, uri, assets } = archive;
  if (typeof path === "string" && path !== "") return filesIn(path, argument, problems);
  if (typeof uri === "string" && uri !== "") {
    problems.add(
      argument,
      "is a RemoteArchive, which is not supported; unpack it into a folder, and give that",
    );
    return {};
  }
  const entries = Object.entries(isRecord(assets) ? assets : {}).flatMap(([name, item]) => {
    const inner = `${argument}[${JSON.stringify(name)}]`;
    if (!isArchive(item)) return [[name, fileOf(item)] as const];
    return Object.entries(filesOf(item, inner, problems)).map(
      ([below, file]) => [`${name}/${below}`, file] as const,
    );
  });
  return Object.fromEntries(entries);
}

/** All files in a local folder. Building the image refuses what is neither a file nor a folder. */
function filesIn(folder: string, argument: string, problems: Problems): Record<string, unknown> {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    problems.add(
      argument,
      code === "ENOTDIR"
        ? `${resolve(folder)} is a file; a FileArchive must be of a folder: unpack the archive, and give the folder`
        : `the folder ${resolve(folder)} cannot be read (${code}); a relative path starts at the program's folder`,
    );
    return {};
  }
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    paths.map((path) => [relative(folder, path).split(sep).join("/"), { path }] as const),
  );
}

const isArchive = (value: unknown): value is Signed => isSigned(value, ARCHIVE);

function isSigned(value: unknown, signature: string): value is Signed {
  return isRecord(value) && value[SIGNATURE] === signature;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
