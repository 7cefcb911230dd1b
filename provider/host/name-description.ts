import { isUuid } from "../xe/parse";

/**
 * The `name-description` of a disc's SR. The folder's name identifies the disc: it is the nonce that its state holds.
 * The URN is for people: it is not unique, and changes.
 */
export function nameDescriptionOf(owner: string, folderUuid: string): string {
  return `Temporary ISO of ${owner} in folder ${folderUuid} (pulumi-xen-iso)`;
}

/** What {@link nameDescriptionOf} was made of; `undefined` for an SR of somebody else's. */
export function parseNameDescription(text: string): { owner: string; folderUuid: string } | undefined {
  const [, owner, folderUuid] = /^Temporary ISO of (.+) in folder (\S+) \(pulumi-xen-iso\)$/.exec(text) ?? [];
  return owner && folderUuid && isUuid(folderUuid) ? { owner, folderUuid } : undefined;
}
