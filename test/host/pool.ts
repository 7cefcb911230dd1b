/** What `leftovers` returns of a pool without discs. */
export const nothing = { srs: [], pbds: [], vdis: [], paths: [] };
