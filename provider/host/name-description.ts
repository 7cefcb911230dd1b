import { isUuid } from "../xe/parse";

/**
 * The `name-description` of a disc's SR. The folder's name identifies the disc: it is the nonce in the state.
 * The URN is for people: it is not unique, and it changes.
 */
export function nameDescriptionOf(owner: string, folderUuid: string): string {
  return `Temporary ISO of ${owner} in folder ${folderUuid} (pulumi-xen-iso)`;
}

/** Parses the description; undefined for an SR that this package did not make. */
export function parseNameDescription(text: string): { owner: string; folderUuid: string } | undefined {
  const [, owner, folderUuid] = /^Temporary ISO of (.+) in folder (\S+) \(pulumi-xen-iso\)$/.exec(text) ?? [];
  return owner && folderUuid && isUuid(folderUuid) ? { owner, folderUuid } : undefined;
}
