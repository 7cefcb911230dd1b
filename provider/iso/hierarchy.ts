import {
  directoryRecord,
  type Extent,
  pack,
  padToSector,
  PARENT,
  pathTableRecord,
  sectorsOf,
  SELF,
} from "./records";
import { type FolderNode, isFolder, type IsoNode, sortedBy } from "./tree";

/** Allocates sectors in order. */
export class Space {
  constructor(public nextSector: number) {}

  take(sizeBytes: number): Extent {
    const sector = this.nextSector;
    this.nextSector += sectorsOf(sizeBytes);
    return { sector, sizeBytes };
  }
}

/** How names are written in one of the disc's two folder hierarchies, which lead to the same files. */
export interface Naming {
  /** A folder's records are sorted by this identifier. */
  sortKey(node: IsoNode): string;
  identifier(node: IsoNode): Buffer;
  /** @param place whether the record describes the folder itself, its parent, or one of its children */
  systemUse(node: IsoNode, place: "self" | "parent" | "child"): Buffer;
}

/** The extents of a hierarchy: its path tables, then its folders. */
export interface Hierarchy {
  readonly littlePathTable: Extent;
  readonly bigPathTable: Extent;
  readonly root: Extent;
  /** In the path table's order. */
  readonly folders: ReadonlyMap<IsoNode, Extent>;
}

/** Used to measure lengths: no record's length depends on positions. */
const NOWHERE: Extent = { sector: 0, sizeBytes: 0 };

export function placeHierarchy(root: FolderNode, naming: Naming, space: Space): Hierarchy {
  const folders = foldersOf(root, naming);
  const pathTableBytes = writePathTable(folders, naming, () => NOWHERE, "little").length;
  const littlePathTable = space.take(pathTableBytes);
  const bigPathTable = space.take(pathTableBytes);
  const extents = folders.map((folder) => space.take(writeFolder(folder, naming, () => NOWHERE).length));
  return {
    littlePathTable,
    bigPathTable,
    root: extents[0] ?? NOWHERE,
    folders: new Map(folders.map((folder, index) => [folder, extents[index] ?? NOWHERE])),
  };
}

/** @returns its sectors, in order */
export function writeHierarchy(
  hierarchy: Hierarchy,
  naming: Naming,
  files: ReadonlyMap<IsoNode, Extent>,
): Buffer[] {
  const folders = [...hierarchy.folders.keys()].filter(isFolder);
  const extentOf: ExtentOf = (node) => hierarchy.folders.get(node) ?? files.get(node) ?? NOWHERE;
  return [
    padToSector(writePathTable(folders, naming, extentOf, "little")),
    padToSector(writePathTable(folders, naming, extentOf, "big")),
    ...folders.map((folder) => writeFolder(folder, naming, extentOf)),
  ];
}

type ExtentOf = (node: IsoNode) => Extent;

/** By level, then parent, then identifier (ECMA-119 §6.9.1). */
function foldersOf(root: FolderNode, naming: Naming): FolderNode[] {
  const folders = [root];
  // The loop appends to the list that it iterates.
  for (const folder of folders)
    for (const child of childrenOf(folder, naming)) if (isFolder(child)) folders.push(child);
  return folders;
}

const childrenOf = (folder: FolderNode, naming: Naming) =>
  sortedBy(folder.children.values(), (child) => naming.sortKey(child));

function writePathTable(
  folders: readonly FolderNode[],
  naming: Naming,
  extentOf: ExtentOf,
  byteOrder: "little" | "big",
): Buffer {
  const numbers = new Map(folders.map((folder, index) => [folder, index + 1]));
  const records = folders.map((folder) =>
    pathTableRecord({
      identifier: folder.parent ? naming.identifier(folder) : SELF,
      sector: extentOf(folder).sector,
      parentNumber: numbers.get(folder.parent ?? folder) ?? 0,
      byteOrder,
    }),
  );
  return Buffer.concat(records);
}

/** Its records, none of which crosses the end of a sector (ECMA-119 §6.8.1.1). */
function writeFolder(folder: FolderNode, naming: Naming, extentOf: ExtentOf): Buffer {
  const record = (node: IsoNode, place: "self" | "parent" | "child", identifier: Buffer) =>
    directoryRecord({
      identifier,
      extent: extentOf(node),
      isFolder: isFolder(node),
      systemUse: naming.systemUse(node, place),
    });
  return pack([
    record(folder, "self", SELF),
    record(folder.parent ?? folder, "parent", PARENT),
    ...childrenOf(folder, naming).map((child) => record(child, "child", naming.identifier(child))),
  ]).bytes;
}
