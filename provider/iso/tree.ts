import type { Source } from "./source";

export interface FileNode {
  readonly name: string;
  readonly source: Source;
}

export interface FolderNode {
  readonly name: string;
  /** The root has none. */
  readonly parent: FolderNode | undefined;
  readonly children: Map<string, IsoNode>;
}

export type IsoNode = FileNode | FolderNode;

export const isFolder = (node: IsoNode): node is FolderNode => "children" in node;

/** @param files checked */
export function treeOf(files: Iterable<readonly [path: string, source: Source]>): FolderNode {
  const root: FolderNode = { name: "", parent: undefined, children: new Map() };
  for (const [path, source] of files) {
    const folders = path.split("/");
    const name = folders.pop() ?? "";
    folders.reduce(childFolder, root).children.set(name, { name, source });
  }
  return root;
}

export function* filesBelow(folder: FolderNode): Generator<FileNode, void> {
  for (const node of folder.children.values())
    if (isFolder(node)) yield* filesBelow(node);
    else yield node;
}

function childFolder(parent: FolderNode, name: string): FolderNode {
  const known = parent.children.get(name);
  if (known && isFolder(known)) return known;
  const folder = { name, parent, children: new Map<string, IsoNode>() };
  parent.children.set(name, folder);
  return folder;
}

/** With a `.`, `;1` and 8 levels a path stays within 255 (ECMA-119 §6.8.2.1). */
const LONGEST_ISO_NAME = 27;
const LONGEST_EXTENSION = 8;

/**
 * Names of everything below `folder` for readers that know neither Rock Ridge nor Joliet: A to Z, 0 to 9 and `_`, of
 * interchange level 2 (ECMA-119 §7.5, §7.6, §10.2), unique in their folder. Without a file's version, and without the
 * `.` that a file's name has even if it has no extension.
 */
export function isoNamesOf(folder: FolderNode): Map<IsoNode, string> {
  const names = new Map<IsoNode, string>();
  // Appends the number of tries so far: otherwise a thousand names with the same beginning would take a million
  // tries.
  const used = new Map<string, number>();
  for (const node of sortedBy(folder.children.values(), ({ name }) => name)) {
    const [stem, extension] = isoNameParts(node);
    const wanted = `${stem}${extension}`;
    let name = wanted;
    let tries = used.get(wanted) ?? 0;
    while (used.has(name)) {
      const end = `_${++tries}${extension}`;
      name = `${stem.slice(0, LONGEST_ISO_NAME + 1 - end.length)}${end}`;
    }
    used.set(name, 0).set(wanted, tries);
    names.set(node, name);
    if (isFolder(node)) for (const [below, isoName] of isoNamesOf(node)) names.set(below, isoName);
  }
  return names;
}

/** The extension includes its `.`, or is empty; a folder has none. */
function isoNameParts(node: IsoNode): [stem: string, extension: string] {
  const dot = isFolder(node) ? -1 : node.name.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [node.name.slice(0, dot), node.name.slice(dot + 1)] : [node.name, ""];
  const shortExtension = toIsoCharacters(extension).slice(0, LONGEST_EXTENSION);
  const shortStem = toIsoCharacters(stem).slice(0, LONGEST_ISO_NAME - shortExtension.length);
  return [shortStem, shortExtension && `.${shortExtension}`];
}

const toIsoCharacters = (name: string) => name.replace(/[^A-Za-z0-9_]/g, "_").toUpperCase();

/** For keys of characters after `.` this is the order of ECMA-119 §9.3, for UTF-16 keys that of Joliet. */
export function sortedBy(nodes: Iterable<IsoNode>, keyOf: (node: IsoNode) => string): IsoNode[] {
  return [...nodes].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
