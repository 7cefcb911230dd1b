import { lines, sh, type Script } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { failed, FILE, type Folder } from "./folder";
import { READ_MARKER } from "./marker";

/** A folder named by a UUID in a mount path, as it was found. */
export interface FoundFolder {
  readonly folder: Folder;
  /** As `stat -c %a` prints it: those of this package have 700. */
  readonly mode: string;
  /** Says that its create has not ended. */
  readonly marker: FoundMarker | undefined;
  /** The image, or what has arrived of it. */
  readonly image: FoundFile | undefined;
  /** Whether it holds something that this package does not put there. */
  readonly hasOthers: boolean;
  readonly ageSeconds: number;
}

/** The marker of a create. */
export interface FoundMarker {
  /** URN of the resource. */
  readonly owner: string;
  readonly isoName: string;
  /** Whether somebody works in the folder: the session that made it lives, and has touched it lately. */
  readonly isUnderWay: boolean;
}

/** A plain file. */
export interface FoundFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly ageSeconds: number;
}

const TIMEOUT_MS = 120_000;

/**
 * Looks into every folder named by a UUID directly in `srMountPath`, and changes nothing. It holds the lock under
 * which folders are made, so that none is seen without its marker; a folder that is a mount is never entered,
 * because a dead NFS mount hangs whoever looks into it.
 *
 * @returns nothing where there is no such mount path
 * @throws `HostError` `FOLDER_FAILED` when the lock cannot be had
 */
export async function scanFolders(host: SharedConnection, srMountPath: string): Promise<FoundFolder[]> {
  const options = { purpose: "look for folders", timeoutMs: TIMEOUT_MS };
  const result = await host.exec(scanScript(srMountPath), options);
  if (result.status !== 0) {
    const message = `${srMountPath} on ${host.address} could not be looked through. Run the command again once no other run makes folders there.`;
    throw failed(host, "FOLDER_FAILED", message, result);
  }
  return parseScan(result.stdout, srMountPath);
}

const scanScript = (srMountPath: string): Script =>
  lines(
    READ_MARKER,
    sh`cd -- ${srMountPath} 2>/dev/null || exit 0
exec 9<. && flock -w 30 9 || exit 4
now=$(date +%s)
read -r -d '' mounts </proc/self/mounts
for name in ????????-????-????-????-????????????; do
  case "$mounts" in *"/$name "*) continue ;; esac
  [ -d "$name" ] && [ ! -L "$name" ] || continue
  (
    cd -- "$name" && set -- $(stat -c '%a %Y' .) && [ $# -eq 2 ] || exit
    echo "folder=$name"
    echo "mode=$1"
    echo "age=$((now - $2))"
    if touched=$(stat -c %Y ${FILE.pending} 2>/dev/null); then
      read_marker .
      printf '%s\n' "owner=$owner" "iso=$iso"
      ! is_held $((now - touched)) || echo under-way=
    fi
    for file in * .[!.]*; do
      [ -e "$file" ] || [ -L "$file" ] || continue
      case "$file" in *[![:print:]]*) echo other=; continue ;; esac
      [ -f "$file" ] && [ ! -L "$file" ] || { echo other=; continue; }
      set -- $(stat -c '%s %Y' -- "$file")
      [ $# -ne 2 ] || echo "file=$1 $((now - $2)) $file"
    done
    echo
  ) 2>/dev/null
done`,
  );

function parseScan(stdout: string, srMountPath: string): FoundFolder[] {
  return stdout
    .split("\n\n")
    .filter((paragraph) => paragraph.includes("folder="))
    .map((paragraph) => parseFolder(paragraph, srMountPath));
}

function parseFolder(paragraph: string, srMountPath: string): FoundFolder {
  const lines = paragraph.split("\n").map((line) => {
    const equals = line.indexOf("=");
    return { key: line.slice(0, equals), value: line.slice(equals + 1) };
  });
  const valueOf = (key: string) => lines.find((line) => line.key === key)?.value;
  const owner = valueOf("owner");
  const files = lines.filter(({ key }) => key === "file").map(({ value }) => parseFile(value));
  const images = files.filter(({ name }) => name.endsWith(".iso"));
  const own: readonly string[] = Object.values(FILE);
  const others = files.filter((file) => !own.includes(file.name) && !images.includes(file));
  return {
    folder: { srMountPath, uuid: valueOf("folder") ?? "" },
    mode: valueOf("mode") ?? "",
    marker:
      owner === undefined
        ? undefined
        : { owner, isoName: valueOf("iso") ?? "", isUnderWay: valueOf("under-way") !== undefined },
    image: images[0] ?? files.find(({ name }) => name === FILE.upload),
    hasOthers: valueOf("other") !== undefined || others.length > 0 || images.length > 1,
    ageSeconds: Number(valueOf("age")),
  };
}

function parseFile(text: string): FoundFile {
  const [, size, age, name = ""] = /^(\d+) (-?\d+) (.*)$/.exec(text) ?? [];
  return { name, sizeBytes: Number(size), ageSeconds: Number(age) };
}
