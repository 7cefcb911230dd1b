import { Transform, type TransformCallback } from "node:stream";

/** Places on a host that lie in its folder on this machine; the rest of the paths are this machine's own. */
const PLACES = "etc|var|run|opt|root|mnt|srv|tmp|proc/self/mounts|proc/meminfo|usr/bin/xe";

/** What can stand before and after a path in shell text. */
const SEPARATOR = "\\s'\"=:<>;|&(){},`";
const PATH_START = new RegExp(`(^|[${SEPARATOR}])/(${PLACES})(?![^${SEPARATOR}/])`, "g");

/**
 * Shell text with the absolute paths of the host's own places put below `root`.
 *
 * @param root absolute path without blanks or quotes
 */
export function rewritePaths(text: string, root: string): string {
  return text.replace(PATH_START, (_match, before: string, place: string) => {
    return `${before}${root}/${place === "usr/bin/xe" ? "opt/xensource/bin/xe" : place}`;
  });
}

/** macOS has no `/proc`: what a script reads there of a process comes from a program. */
export function rewriteProcesses(text: string): string {
  return text.replace(/<\/proc\/("\$\w+")\/stat\b/g, "< <(process-stat $1)");
}

/** Output in which paths below `root` are the host's again. */
export class RootRemover extends Transform {
  /** What may go on in the next chunk: the beginning of the root's name, or the whole of it. */
  #kept = Buffer.alloc(0);
  readonly #root: Buffer;

  constructor(root: string) {
    super();
    this.#root = Buffer.from(root);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const text = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    const keep = tailThatBegins(text, this.#root);
    // A copy: a slice would keep the whole chunk in memory.
    this.#kept = Buffer.from(text.subarray(text.length - keep));
    done(null, this.#removeRoot(text.subarray(0, text.length - keep), this.#kept));
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#removeRoot(this.#kept, Buffer.alloc(0)));
  }

  #removeRoot(text: Buffer, next: Buffer): Buffer {
    const parts: Buffer[] = [];
    let from = 0;
    for (let at = text.indexOf(this.#root); at >= 0; at = text.indexOf(this.#root, from)) {
      parts.push(text.subarray(from, at));
      from = at + this.#root.length;
      // Of the root itself a slash is left.
      if ((text[from] ?? next[0]) !== SLASH) parts.push(Buffer.from("/"));
    }
    return parts.length === 0 ? text : Buffer.concat([...parts, text.subarray(from)]);
  }
}

const SLASH = "/".charCodeAt(0);

/** How many bytes at the end of `text` are the beginning of `wanted`. */
function tailThatBegins(text: Buffer, wanted: Buffer): number {
  for (let length = Math.min(wanted.length, text.length); length > 0; length--) {
    if (text.subarray(text.length - length).equals(wanted.subarray(0, length))) return length;
  }
  return 0;
}
