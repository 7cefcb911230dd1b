/** What an SR's `name-description` says of the disc in it: by this it is found where nothing else leads to it. */
export function nameDescriptionOf(owner: string, folderUuid: string): string {
  return `Temporary ISO of ${owner} in folder ${folderUuid} (pulumi-xen-iso)`;
}

/** What {@link nameDescriptionOf} was made of; `undefined` for an SR of somebody else's. */
export function parseNameDescription(text: string): { owner: string; folderUuid: string } | undefined {
  const [, owner, folderUuid] = /^Temporary ISO of (.+) in folder (\S+) \(pulumi-xen-iso\)$/.exec(text) ?? [];
  return owner && folderUuid && isUuid(folderUuid) ? { owner, folderUuid } : undefined;
}

/** Whether a folder can be one of this package by its name. */
function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
