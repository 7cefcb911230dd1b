import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { waiting } from "../ssh/wait";
import type { Twin } from "./prepare";
import { valueOf } from "./protocol";
import { remote } from "./remote";

/**
 * Contents that are being sent to a host. Each resolves to the complete file, or to undefined if sending
 * failed.
 */
const underWay = new Map<string, Promise<Twin | undefined>>();

/** Whether a file on a host has the expected content, by identity of the file; checked once. */
const known = new Map<string, Promise<boolean>>();

/** Hashing some GiB at low priority takes minutes on a busy host. */
const HASH_TIMEOUT_MS = 30 * 60_000;

/** The right to send a content to a host, or the file that another create of this process has just sent. */
export interface Turn {
  readonly twin: Twin | undefined;
  /** Ends the turn; `file` is given if it is complete on the host. Only the first call counts. */
  readonly end: (file?: Twin) => void;
}

/**
 * Waits while another create of this process sends the same content. Only one sends it at a time; if that fails, the
 * next one does.
 *
 * @param content names host, place and content
 */
export async function turnToSend(content: string): Promise<Turn> {
  for (let other = underWay.get(content); other; other = underWay.get(content)) {
    const wait = { what: "another disc that sends the same image", atMost: "as long as that may take" };
    const sending = other;
    const twin = await waiting(wait, () => sending);
    if (twin) return { twin, end: () => undefined };
  }
  let settle: (file: Twin | undefined) => void = () => undefined;
  const mine = new Promise<Twin | undefined>((resolve) => (settle = resolve));
  underWay.set(content, mine);
  const end = (file?: Twin) => {
    if (underWay.get(content) === mine) underWay.delete(content);
    settle(file);
  };
  return { twin: undefined, end };
}

/** Records that a file has this content: this process sent it. */
export function rememberContent(host: SharedConnection, identity: string, sha256: string): void {
  known.set(keyOf(host, identity, sha256), Promise.resolve(true));
}

/** Whether a file on the host has the expected content. Reads it once, at low priority. */
export function hasContent(host: SharedConnection, twin: Twin, sha256: string): Promise<boolean> {
  const key = keyOf(host, twin.identity, sha256);
  const isSame = known.get(key) ?? compare(host, twin, sha256);
  known.set(key, isSame);
  // A lost link says nothing about the content.
  isSame.catch(() => known.delete(key));
  return isSame;
}

/** The SHA-256 of a file on the host; read at low priority. */
export async function hashOf(host: SharedConnection, path: string): Promise<string | undefined> {
  const options = { purpose: "hash an image", timeoutMs: HASH_TIMEOUT_MS };
  const { stdout } = await host.exec(remote(sh`hash_file ${path}`), options);
  return valueOf(stdout, "sha256");
}

async function compare(host: SharedConnection, { path }: Twin, sha256: string): Promise<boolean> {
  return (await hashOf(host, path)) === sha256;
}

const keyOf = ({ address }: SharedConnection, identity: string, sha256: string) =>
  `${address} ${identity} ${sha256}`;
