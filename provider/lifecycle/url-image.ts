import { createHash } from "node:crypto";
import { HEAD_BYTES } from "../iso/inspect";
import { type Checksum, checksumText, findChecksum, parseChecksum } from "../source/checksum";
import { compressionOf, MAGIC_BYTES } from "../source/compression";
import { SourceError } from "../source/error";
import { type FileFacts, factsOf, openFile, readText, shownUrl, type WebFile } from "../source/http";
import { assertChecksum, imageIn, notAnImage } from "../source/image";
import { peek } from "../source/pieces";
import type { Content, HostDownload, StreamSource } from "../ssh/upload";
import { headProblem } from "./inspect-file";

/** The inputs that describe an image at a URL. */
export interface UrlInputs {
  readonly isoUrl: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isoChecksum?: string;
  readonly downloadOnHost?: boolean;
  /** The identity that check found with {@link identityOf}. */
  readonly isoIdentity?: string;
}

/** What this process found at URLs, by identity: another disc of the same image is linked, not downloaded. */
const contents = new Map<string, Content>();

/**
 * Identifies the content at a URL without reading it: by its checksum, `sha256:<hex>`, which may come from a
 * list, or by the server's metadata, `etag "…" at <hash of the URL>`. Sends one request, or none if the
 * checksum is given.
 *
 * @throws `SourceError`
 */
export async function identityOf(inputs: UrlInputs): Promise<string> {
  const { isoUrl: url, headers, isoChecksum } = inputs;
  if (isoChecksum !== undefined) return checksumText(await checksumFor(isoChecksum, fileNameOf(url), inputs));
  return identityIn(await factsOf({ url, headers }), url);
}

/**
 * The checksum itself, or the file's checksum in the list at a URL.
 *
 * @throws `SourceError`
 */
export async function checksumFor(
  isoChecksum: string,
  fileName: string,
  { isoUrl, headers }: Partial<UrlInputs> = {},
): Promise<Checksum> {
  const checksum = parseChecksum(isoChecksum);
  if (checksum) return checksum;
  // The headers are for the server of the image only.
  const isSameServer = isoUrl !== undefined && new URL(isoUrl).origin === new URL(isoChecksum).origin;
  const list = await readText({ url: isoChecksum, ...(isSameServer && { headers }) });
  return findChecksum(list, fileName, shownUrl(isoChecksum));
}

/** The image at a URL: streamed, decompressed, and verified against what check found. */
export function urlImage(inputs: UrlInputs): StreamSource {
  const { isoUrl: url, headers, isoIdentity = "" } = inputs;
  const file: WebFile = { url, headers };
  const name = shownUrl(url);
  const checksum = parseChecksum(isoIdentity);
  const onRead = ({ sizeBytes, sha256 }: Content) => void contents.set(isoIdentity, { sizeBytes, sha256 });
  const download = inputs.downloadOnHost && checksum ? hostDownload(inputs, checksum, onRead) : undefined;
  return {
    name,
    identity: isoIdentity,
    download,
    get content() {
      return contents.get(isoIdentity);
    },
    open: async (signal) => {
      const { content: download, ...facts } = await openFile(file, { signal });
      if (!checksum) assertSame(isoIdentity, identityIn(facts, url), name);
      const { head, all } = await peek(download, MAGIC_BYTES);
      const pieces = imageIn(all, {
        name,
        checksum,
        headBytes: HEAD_BYTES,
        problemOf: headProblem,
        onRead,
      });
      // The size of an image in an archive is unknown until it is decompressed.
      return { pieces, sizeBytes: compressionOf(head) ? undefined : facts.sizeBytes };
    },
  };
}

/** The same, fetched by the host. */
function hostDownload(
  { isoUrl: url, headers = {} }: UrlInputs,
  checksum: Checksum,
  onRead: (content: Content) => void,
): HostDownload {
  const { algorithm } = checksum;
  const name = shownUrl(url);
  return {
    name,
    url,
    headers,
    algorithm,
    verify: ({ file, image, isImage, content }) => {
      assertChecksum(checksum, { file: { algorithm, hex: file }, image: { algorithm, hex: image } }, name);
      if (!isImage) throw notAnImage(name, "it is neither an ISO 9660 nor a UDF image");
      onRead(content);
    },
  };
}

/**
 * Names the content at a URL by what the server says of it.
 *
 * @throws `SourceError` if the server says nothing by which a change would be noticed
 */
export function identityIn({ etag, lastModified, sizeBytes }: FileFacts, url: string): string {
  const { origin, pathname } = new URL(url);
  const place = createHash("sha256").update(`${origin}${pathname}`).digest("hex").slice(0, 16);
  if (etag !== undefined) return `etag ${etag} at ${place}`;
  if (lastModified !== undefined)
    return `last modified ${lastModified}, ${sizeBytes ?? "?"} bytes, at ${place}`;
  const message = `${shownUrl(url)} comes with neither ETag nor Last-Modified, so nobody would notice that it changed. Set its checksum.`;
  throw new SourceError("NO_CHECKSUM", message);
}

function assertSame(before: string, now: string, name: string): void {
  if (before === now) return;
  const message = `${name} changed while the program ran. Run the command again.`;
  throw new SourceError("CONTENT_CHANGED", message);
}

/** The last part of a URL's path. */
export function fileNameOf(url: string): string {
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
