import type { Naming } from "./hierarchy";
import { both32, DATE, LONGEST_RECORD, pack, recordBytes, SECTOR_BYTES } from "./records";
import { type FolderNode, isFolder, isoNamesOf, type IsoNode } from "./tree";

/** UCS-2, level 3 (Joliet specification, SVD escape sequences field). */
export const JOLIET_ESCAPE_SEQUENCES = "%/E";

/** Big-endian. Characters beyond UCS-2 are surrogate pairs, which Windows and Linux read. */
export const toJoliet = (text: string) => Buffer.from(text, "utf16le").swap16();

/** Joliet: unchanged names, without a version, as most writers do. */
export const jolietNaming: Naming = {
  sortKey: ({ name }) => name,
  identifier: ({ name }) => toJoliet(name),
  systemUse: () => Buffer.alloc(0),
};

/**
 * Short names by ECMA-119, and the full names by Rock Ridge.
 *
 * @param continuationSector holds the names that do not fit into their records
 * @returns the naming, and the content of those sectors
 */
export function rockRidgeNaming(
  root: FolderNode,
  continuationSector: number,
): { naming: Naming; continuation: Buffer } {
  const isoNames = isoNamesOf(root);
  const isoNameOf = (node: IsoNode) => isoNames.get(node) ?? "";
  const identifier = (node: IsoNode) => isoIdentifier(node, isoNameOf(node));
  const isTooLong = (node: IsoNode) =>
    recordBytes(identifier(node)) + attributesOf(node).length + nameEntry(node).length > LONGEST_RECORD;

  const longNamed = [...isoNames.keys()].filter(isTooLong);
  // Linux and libarchive refuse a name that crosses the end of a sector.
  const { bytes, offsets } = pack(longNamed.map(nameEntry));
  const links = new Map(
    longNamed.map((node, index) => [
      node,
      continuationEntry(continuationSector, offsets[index] ?? 0, nameEntry(node).length),
    ]),
  );

  const naming: Naming = {
    sortKey: isoNameOf,
    identifier,
    systemUse: (node, place) => {
      const attributes = attributesOf(node);
      if (place === "child") return Buffer.concat([attributes, links.get(node) ?? nameEntry(node)]);
      return node === root && place === "self"
        ? Buffer.concat([INDICATOR, attributes, EXTENSION])
        : attributes;
    },
  };
  return { naming, continuation: bytes };
}

/** A file's identifier always has a `.` and a version (ECMA-119 §7.5.1). */
const isoIdentifier = (node: IsoNode, name: string) =>
  Buffer.from(isFolder(node) ? name : `${name}${name.includes(".") ? "" : "."};1`, "latin1");

/** A System Use Entry: signature, length, version, data (SUSP 1.12 §4). */
function entry(signature: string, ...data: Buffer[]): Buffer {
  const bytes = Buffer.concat(data);
  return Buffer.concat([Buffer.from(signature), Buffer.from([4 + bytes.length, 1]), bytes]);
}

/** SP: announces System Use Entries (SUSP 1.12 §5.3). */
const INDICATOR = entry("SP", Buffer.from([0xbe, 0xef, 0]));

/**
 * ER: announces Rock Ridge (SUSP 1.12 §5.5). Uses the identifier of RRIP 1.10, because BSD knows no other, and
 * omits the recommended texts, which would need a sector of their own.
 */
const EXTENSION = entry("ER", Buffer.from([10, 0, 0, 1]), Buffer.from("RRIP_1991A"));

/** TF: the time of the last change (RRIP 1.12 §4.1.6). */
const TIMES = entry("TF", Buffer.from([2]), DATE);

/**
 * PX: mode, links, user and group (RRIP 1.10 §4.1.1; 1.12 appends a serial number). root owns everything. Everything
 * is readable and executable: a map of files has no modes, Linux shows discs without Rock Ridge this way, and guests
 * can run a script from the disc.
 */
function attributesOf(node: IsoNode): Buffer {
  const subfolders = isFolder(node) ? [...node.children.values()].filter(isFolder).length : 0;
  const [type, links] = isFolder(node) ? [0o040000, 2 + subfolders] : [0o100000, 1];
  return Buffer.concat([entry("PX", both32(type | 0o555), both32(links), both32(0), both32(0)), TIMES]);
}

/** NM: the unchanged name in UTF-8 (RRIP 1.12 §4.1.4). One entry holds it: at most 64 units of 3 bytes. */
const nameEntry = (node: IsoNode) => entry("NM", Buffer.from([0]), Buffer.from(node.name));

/** CE: where the other entries are (SUSP 1.12 §5.1). */
const continuationEntry = (firstSector: number, offset: number, sizeBytes: number) =>
  entry(
    "CE",
    both32(firstSector + Math.floor(offset / SECTOR_BYTES)),
    both32(offset % SECTOR_BYTES),
    both32(sizeBytes),
  );
