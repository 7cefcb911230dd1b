declare module "proxy-from-env" {
  /** The proxy for a URL by `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`; empty if there is none. */
  export function getProxyForUrl(url: string): string;
}

declare module "unbzip2-stream/lib/bit_iterator.js" {
  interface BitReader {
    (bits: number | null): number;
    readonly bytesRead: number;
  }
  function bitIterator(nextBuffer: () => Uint8Array | undefined): BitReader;
  export = bitIterator;
}

declare module "unbzip2-stream/lib/bzip2.js" {
  type BitReader = (bits: number | null) => number;
  /** Reads the header of a stream; returns the size of its blocks in units of 100,000 bytes. */
  export function header(bits: BitReader): number;
  /** Decodes a block, byte by byte. Returns the stream's checksum so far, null at the stream's end. */
  export function decompress(
    bits: BitReader,
    onByte: (byte: number) => void,
    buffer: Int32Array,
    bufferLength: number,
    streamCrc: number,
  ): number | null;
}
