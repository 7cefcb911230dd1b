import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseChecksum } from "../source/checksum";

/** Undefined if no web server can answer it. */
export function webUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url && ["http:", "https:"].includes(url.protocol) ? url : undefined;
}

/**
 * Finds what is wrong with the URL of a file.
 *
 * @param pathArgument the argument for a local file
 * @param login what to do if the server wants a login
 */
export function urlProblem(
  text: string,
  { pathArgument, login }: { pathArgument: string; login: string },
): string | undefined {
  const url = webUrl(text);
  if (!url) return `must be a URL that begins with https:// or http://; ${pathArgument} takes a local file`;
  return url.username || url.password
    ? `must be without user and password, which would be readable in the state; ${login}`
    : undefined;
}

/** Finds what is wrong with a checksum as it is written. */
export function checksumProblem(checksum: string): string | undefined {
  return parseChecksum(checksum) || webUrl(checksum)
    ? undefined
    : "must be sha256:<64 hex digits>, sha512:<128 hex digits>, or the URL of a list such as https://…/SHA256SUMS";
}

/**
 * Finds what is wrong with a local path that a shell would expand, or that is a URL. Opens no file.
 *
 * @param urlArgument the argument for a URL
 */
export function localPathProblem(path: string, urlArgument: string): string | undefined {
  if (webUrl(path)) return `is a URL; set ${urlArgument} to it instead`;
  if (/^file:\/\//i.test(path)) return `is a URL; set it to ${localPathOf(path) ?? "the path of the file"}`;
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(path) ?? [];
  if (scheme !== undefined)
    return `is a URL that begins with ${scheme}://; download the file, or set ${urlArgument} to an https:// URL`;
  const [, user, below] = /^~([^/\\]*)(?:[/\\](.*))?$/s.exec(path) ?? [];
  if (user === undefined || (user !== "" && below === undefined)) return undefined;
  const full = user === "" ? join(homedir(), below ?? "") : "the path in full";
  return `begins with ~, which only a shell expands; set it to ${full}`;
}

/** The path of a `file:` URL; undefined if it is on another machine. */
export function localPathOf(fileUrl: string): string | undefined {
  try {
    return fileURLToPath(fileUrl);
  } catch {
    return undefined;
  }
}

/** Suggests what a path that does not exist may have meant. */
export function missingHint(path: string): string {
  if (!/[*?[\]{}]/.test(path)) return "a relative path starts at the program's folder";
  const [match] = matchesOf(path);
  const example = match === undefined ? "" : `, such as ${match}`;
  return `only a shell expands a pattern: set it to the path of one file${example}`;
}

/** The files that match `*` and `?` in a file's name. */
function matchesOf(pattern: string): string[] {
  const folder = dirname(pattern);
  const source = basename(pattern)
    .replace(/[\\^$.+()|[\]{}]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  try {
    const names = readdirSync(folder).filter((name) => new RegExp(`^${source}$`, "s").test(name));
    return names.sort().map((name) => join(folder, name));
  } catch {
    return [];
  }
}
