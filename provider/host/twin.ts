import { type Script, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { EXIT, FILE } from "./folder";
import type { Twin } from "./prepare";

/** A content on its way to a host: where it is, is known once it is whole; undefined if it has failed. */
const underWay = new Map<string, Promise<Twin | undefined>>();

/** Files whose content is known, on each host, by their identity; asked for once. */
const known = new Map<string, Promise<boolean>>();

/** Hashing some GiB at low priority takes minutes on a busy host. */
const HASH_TIMEOUT_MS = 30 * 60_000;

/**
 * Sends a content to a place once: whoever comes while it is on its way waits until it is there. If it fails, the
 * next one sends it.
 *
 * @param key names host, place and content
 * @param work is given what to call once the content is there, or, where somebody else has sent it, the file
 */
export async function oncePerContent<T>(
  key: string,
  work: (isThere: (file: Twin) => void, twin?: Twin) => Promise<T>,
): Promise<T> {
  for (let other = underWay.get(key); other; other = underWay.get(key)) {
    const twin = await other;
    if (twin) return work(() => undefined, twin);
  }

  let settle: (file: Twin | undefined) => void = () => undefined;
  const mine = new Promise<Twin | undefined>((resolve) => (settle = resolve));
  underWay.set(key, mine);
  const end = (file?: Twin) => {
    if (underWay.get(key) === mine) underWay.delete(key);
    settle(file);
  };
  try {
    return await work(end);
  } finally {
    end();
  }
}

/** Notes that a file has this content: it was sent by this process. */
export function rememberContent(host: SharedConnection, identity: string, sha256: string): void {
  known.set(keyOf(host, identity, sha256), Promise.resolve(true));
}

/** Whether a file on the host has the content that it should have; read at low priority, once. */
export function hasContent(host: SharedConnection, twin: Twin, sha256: string): Promise<boolean> {
  const key = keyOf(host, twin.identity, sha256);
  const isSame = known.get(key) ?? compare(host, twin, sha256);
  known.set(key, isSame);
  // A link that was lost says nothing of the content.
  isSame.catch(() => known.delete(key));
  return isSame;
}

/** In the folder it is in, puts the twin in the upload's place, if it is still the same file. */
export function linkTwin({ path, identity }: Twin): Script {
  return sh`[ -f ${FILE.image} ] || {
  ln -- ${path} ${FILE.upload} && [ "$(stat -c '%i %s %y' -- ${FILE.upload})" = ${identity} ]
} || { rm -f ${FILE.upload}; exit ${EXIT.notWhole}; }`;
}

async function compare(host: SharedConnection, { path }: Twin, sha256: string): Promise<boolean> {
  const script = sh`nice -n 19 sha256sum <${path}`;
  const result = await host.exec(script, { purpose: "compare an image", timeoutMs: HASH_TIMEOUT_MS });
  return result.stdout.startsWith(sha256);
}

const keyOf = ({ address }: SharedConnection, identity: string, sha256: string) =>
  `${address} ${identity} ${sha256}`;
