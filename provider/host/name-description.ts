import { isUuid } from "../xe/parse";

/** What an SR's `name-description` says of the disc in it: by this it is found where nothing else leads to it. */
export function nameDescriptionOf(owner: string, folderUuid: string): string {
  return `Temporary ISO of ${owner} in folder ${folderUuid} (pulumi-xen-iso)`;
}

/** What {@link nameDescriptionOf} was made of; `undefined` for an SR of somebody else's. */
export function parseNameDescription(text: string): { owner: string; folderUuid: string } | undefined {
  const [, owner, folderUuid] = /^Temporary ISO of (.+) in folder (\S+) \(pulumi-xen-iso\)$/.exec(text) ?? [];
  return owner && folderUuid && isUuid(folderUuid) ? { owner, folderUuid } : undefined;
}
