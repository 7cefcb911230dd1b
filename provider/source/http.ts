import { once } from "node:events";
import * as http from "node:http";
import * as https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";
import { SourceError } from "./error";
import type { Pieces } from "./pieces";

/** A file on a web server. */
export interface WebFile {
  /** `http:` or `https:`, without user and password. */
  readonly url: string;
  /** Sent to the URL's origin only, not to the target of a redirect. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What a server tells about a file without sending its content. */
export interface FileFacts {
  readonly sizeBytes?: number;
  /** In quotes, as the server writes it. */
  readonly etag?: string;
  readonly lastModified?: string;
}

/** A file whose content is arriving. */
export interface OpenFile extends FileFacts {
  /** The content; can be read once. Reconnects after a lost connection, and continues where it was. */
  readonly content: Pieces;
}

/** Options for reading a file. */
export interface OpenOptions {
  /** Aborting it ends the download. */
  readonly signal?: AbortSignal | undefined;
  /** How long a server may take to answer, and how long no byte may arrive, in milliseconds. Default 60 s. */
  readonly silenceMs?: number | undefined;
  /** The pause before a failed request is sent again, in milliseconds; doubled each time. Default 1 s. */
  readonly firstPauseMs?: number | undefined;
}

const SILENCE_MS = 60_000;

const FIRST_PAUSE_MS = 1_000;

/** How many requests in a row may bring no byte. */
const ATTEMPTS = 4;

const MOST_REDIRECTS = 10;

/** A checksum list has a few KiB. */
const LARGEST_TEXT_BYTES = 4 * 1024 ** 2;

/** A URL as messages show it: without its query, which can hold a secret. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/**
 * Asks a server about a file: one HEAD request, without the content.
 *
 * @throws {@link SourceError} `UNREACHABLE`, `HTTP_STATUS`
 */
export async function factsOf(file: WebFile): Promise<FileFacts> {
  return persistently(file, async () => {
    const response = await request(file, { method: "HEAD" });
    response.resume();
    if (response.statusCode === 200) return factsIn(response);
    throw statusError(file.url, response);
  });
}

/**
 * Reads a small text, such as a list of checksums.
 *
 * @throws {@link SourceError} as {@link openFile}
 */
export async function readText(file: WebFile): Promise<string> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of (await openFile(file)).content) {
    pieces.push(Buffer.from(piece));
    sizeBytes += piece.length;
    if (sizeBytes > LARGEST_TEXT_BYTES)
      throw new SourceError(
        "WRONG_LENGTH",
        `${shownUrl(file.url)} has more than 4 MiB, which no list of checksums has. Check the URL.`,
      );
  }
  return Buffer.concat(pieces).toString();
}

/**
 * Requests a file.
 *
 * @throws {@link SourceError} `UNREACHABLE`, `HTTP_STATUS`; from the content also `WRONG_LENGTH`, `CONTENT_CHANGED`
 */
export async function openFile(file: WebFile, options: OpenOptions = {}): Promise<OpenFile> {
  const response = await persistently(
    file,
    async () => {
      const first = await request(file, { ...options, method: "GET" });
      if (first.statusCode === 200) return first;
      first.destroy();
      throw statusError(file.url, first);
    },
    options,
  );
  const facts = factsIn(response);
  return { ...facts, content: contentOf(file, facts, response, options) };
}

/** Continues after a lost connection: where it was, or from the beginning if the server has no ranges. */
async function* contentOf(
  file: WebFile,
  facts: FileFacts,
  first: http.IncomingMessage,
  options: OpenOptions,
): AsyncGenerator<Uint8Array, void> {
  const { sizeBytes } = facts;
  const { signal } = options;
  let response: http.IncomingMessage | undefined = first;
  let position = 0;
  let failures = 0;
  for (;;) {
    try {
      response ??= await reopen(file, facts, position, options);
      let skip = response.statusCode === 206 ? 0 : position;
      for await (const piece of response as AsyncIterable<Buffer>) {
        const rest = piece.subarray(Math.min(skip, piece.length));
        skip -= piece.length - rest.length;
        if (rest.length === 0) continue;
        position += rest.length;
        if (sizeBytes !== undefined && position > sizeBytes) throw wrongLength(file, sizeBytes, position);
        failures = 0;
        yield rest;
      }
      if (sizeBytes === undefined || position === sizeBytes) return;
      throw wrongLength(file, sizeBytes, position);
    } catch (error) {
      signal?.throwIfAborted();
      response?.destroy();
      response = undefined;
      failures += 1;
      if (!isPassing(error) || failures >= ATTEMPTS) throw asSourceError(file.url, error);
      await pause(failures, options);
    } finally {
      // The reader may stop before the end.
      if (response && !response.complete) response.destroy();
    }
  }
}

async function reopen(
  file: WebFile,
  facts: FileFacts,
  position: number,
  options: OpenOptions,
): Promise<http.IncomingMessage> {
  const { etag, lastModified, sizeBytes } = facts;
  // A weak ETag says nothing of bytes (RFC 9110 §13.1.5).
  const validator = etag?.startsWith("W/") === false ? etag : lastModified;
  const response = await request(file, {
    ...options,
    method: "GET",
    headers: {
      ...(position > 0 && { range: `bytes=${position}-` }),
      ...(position > 0 && validator !== undefined && { "if-range": validator }),
    },
  });
  const { statusCode } = response;
  const changed = changeOf(facts, response, position);
  if ((statusCode === 200 || statusCode === 206) && changed === undefined) return response;
  response.destroy();
  // Everything was sent already, so the announced length is wrong.
  if (statusCode === 416) throw wrongLength(file, sizeBytes ?? position, position);
  if (changed === undefined) throw statusError(file.url, response);
  const message = `${shownUrl(file.url)} changed during the download (${changed}). Run the command again.`;
  throw new SourceError("CONTENT_CHANGED", message);
}

/** What shows that the file changed; undefined if it did not. */
function changeOf(
  { etag, lastModified, sizeBytes }: FileFacts,
  response: http.IncomingMessage,
  position: number,
): string | undefined {
  const now = factsIn(response);
  if (response.statusCode === 206) {
    const [, start, total] =
      /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers["content-range"] ?? "") ?? [];
    if (Number(start) !== position) return "the server sent another part than it was asked for";
    if (sizeBytes !== undefined && total !== "*" && Number(total) !== sizeBytes)
      return `${sizeBytes} bytes before, ${total} now`;
  } else if (response.statusCode === 200) {
    if (now.sizeBytes !== sizeBytes) return `${sizeBytes ?? "?"} bytes before, ${now.sizeBytes ?? "?"} now`;
  } else return undefined;
  if (etag !== undefined && now.etag !== undefined && etag !== now.etag) return "another ETag";
  if (lastModified !== undefined && now.lastModified !== undefined && lastModified !== now.lastModified)
    return "another Last-Modified";
  return undefined;
}

function factsIn({ headers }: http.IncomingMessage): FileFacts {
  const { etag, "last-modified": lastModified, "content-length": length } = headers;
  return {
    ...(length !== undefined && /^\d+$/.test(length) && { sizeBytes: Number(length) }),
    ...(etag !== undefined && { etag }),
    ...(lastModified !== undefined && { lastModified }),
  };
}

interface RequestOptions extends OpenOptions {
  readonly method: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a request and follows redirects; resolves with the head of the response. */
async function request(file: WebFile, options: RequestOptions): Promise<http.IncomingMessage> {
  let url = new URL(file.url);
  const { origin } = url;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const own = url.origin === origin ? file.headers : undefined;
    const response = await requestOnce(url, { ...options, headers: { ...own, ...options.headers } });
    const { statusCode = 0, headers } = response;
    if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return response;
    response.destroy();
    const next = new URL(headers.location, url);
    if (next.protocol !== "https:" && (next.protocol !== "http:" || url.protocol === "https:")) {
      const message = `${shownUrl(file.url)} redirects to ${next.protocol}//${next.host}, which is not encrypted. Give a URL that stays with https.`;
      throw new SourceError("HTTP_STATUS", message);
    }
    url = next;
  }
  const message = `${shownUrl(file.url)} redirects more than ${MOST_REDIRECTS} times. Give the URL of the file itself.`;
  throw new SourceError("HTTP_STATUS", message);
}

async function requestOnce(url: URL, options: RequestOptions): Promise<http.IncomingMessage> {
  const { method, signal, headers, silenceMs = SILENCE_MS } = options;
  const client = url.protocol === "https:" ? https : http;
  const sent = client.request(url, {
    method,
    // Asks for the file as it is: otherwise the length would be that of the compressed transfer.
    headers: { "user-agent": "pulumi-xen-iso", "accept-encoding": "identity", ...headers },
    agent: agentFor(url),
    // With a proxy, the agent forgets a host that is an IP address.
    checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
      checkServerIdentity(url.hostname.replace(/^\[|\]$/g, ""), certificate),
    ...(signal && { signal }),
  });
  let answer: http.ClientRequest | http.IncomingMessage = sent;
  // Applies while the content arrives, too.
  sent.setTimeout(silenceMs, () => {
    answer.destroy(new Error(`nothing came for ${silenceMs / 1_000} s`));
  });
  sent.end();
  const [response] = (await once(sent, "response")) as [http.IncomingMessage];
  answer = response;
  // From here on, a lost connection fails the next read of the response.
  sent.on("error", () => undefined);
  response.on("error", () => undefined);
  return response;
}

/** Opens a new connection, through a proxy if the environment names one. */
function agentFor(url: URL): http.Agent {
  const proxy = getProxyForUrl(url.href);
  if (url.protocol === "https:") return proxy ? new HttpsProxyAgent(proxy) : new https.Agent();
  return proxy ? new HttpProxyAgent(proxy) : new http.Agent();
}

async function persistently<T>(
  { url }: WebFile,
  attempt: () => Promise<T>,
  options: OpenOptions = {},
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isPassing(error) || failures >= ATTEMPTS) throw asSourceError(url, error);
      await pause(failures, options);
    }
  }
}

const pause = (failures: number, { firstPauseMs = FIRST_PAUSE_MS, signal }: OpenOptions) =>
  sleep(firstPauseMs * 2 ** (failures - 1), undefined, { signal });

/** Worth another try: an overloaded or restarting server, or a lost connection. */
class PassingError extends SourceError {}

const PASSING_STATUS = [408, 425, 429, 500, 502, 503, 504];

/** Node's errors for an unknown name and for a certificate: the same at each try. */
const FINAL_CODE = /^(ENOTFOUND|ERR_(?!STREAM_PREMATURE_CLOSE)|CERT_|DEPTH_|SELF_SIGNED_|UNABLE_TO_|HPE_)/;

function isPassing(error: unknown): boolean {
  if (error instanceof SourceError) return error instanceof PassingError;
  return !FINAL_CODE.test((error as NodeJS.ErrnoException).code ?? "");
}

function statusError(url: string, { statusCode = 0, statusMessage = "" }: http.IncomingMessage): SourceError {
  const hints: Readonly<Record<number, string>> = {
    401: "Give what the server wants: headers such as Authorization with isoUrl, a signed URL otherwise.",
    403: "Give what the server wants: headers such as Authorization with isoUrl, a signed URL otherwise.",
    404: "Check the URL.",
    405: "The server does not answer HEAD requests: set the checksum, which needs none.",
    407: "Put user and password for the proxy into HTTPS_PROXY or HTTP_PROXY.",
  };
  const hint = hints[statusCode] ?? "Try again later, or check the URL.";
  const message = `${shownUrl(url)} cannot be read: the server answered ${`${statusCode} ${statusMessage}`.trim()}. ${hint}`;
  const Kind = PASSING_STATUS.includes(statusCode) ? PassingError : SourceError;
  return new Kind("HTTP_STATUS", message);
}

function wrongLength({ url }: WebFile, saidBytes: number, sentBytes: number): SourceError {
  const message = `${shownUrl(url)} has another length than the server said: ${saidBytes} bytes were announced, ${sentBytes} came. Try again later, or take another server.`;
  return new PassingError("WRONG_LENGTH", message);
}

function asSourceError(url: string, error: unknown): SourceError {
  if (error instanceof SourceError) return error;
  // Not Node's own message, which may name a proxy with its password.
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code ?? message;
  return new SourceError(
    "UNREACHABLE",
    `${shownUrl(url)} cannot be read: ${why}. Check the URL and the network; a proxy is taken from HTTPS_PROXY and HTTP_PROXY.`,
    { cause: error },
  );
}
