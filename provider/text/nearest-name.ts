import { distance } from "fastest-levenshtein";

/**
 * Says how to go on where `name` is not one of `names`: with the one that was probably meant, else with all of them.
 * Case, `_` and `-` do not count: `iso_path` is close to `isoPath`.
 */
export function nearestName(name: string, names: readonly string[]): string {
  const [nearest] = names
    .map((known) => ({ known, edits: distance(plain(known), plain(name)) }))
    .filter(({ edits }) => edits <= Math.ceil(name.length * 0.4))
    .sort((a, b) => a.edits - b.edits);
  return nearest ? `did you mean ${nearest.known}?` : `expected one of ${names.join(", ")}`;
}

const plain = (name: string) => name.toLowerCase().replaceAll(/[_-]/g, "");
