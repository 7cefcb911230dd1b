/** The algorithms that one side of a connection offers, in its order of preference. */
export interface Algorithms {
  readonly kex: readonly string[];
  readonly hostKey: readonly string[];
  readonly cipher: readonly string[];
  readonly mac: readonly string[];
}

/** RFC 4253, section 12 */
const KEXINIT = 20;
const COOKIE_BYTES = 16;

/** The hello fits into this; the rest is not kept. */
const MAX_BYTES = 64 * 1024;

/**
 * What a server sends in plain text before encryption begins: a banner, its version, its algorithms. `ssh2`
 * reports none of these when a handshake fails.
 *
 * @see RFC 4253, sections 4.2, 6 and 7.1
 */
export class ServerHello {
  #bytes = Buffer.alloc(0);

  /** Adds the next bytes of the connection. */
  add(chunk: Buffer): void {
    if (this.#bytes.length < MAX_BYTES) this.#bytes = Buffer.concat([this.#bytes, chunk]);
  }

  /** Whether the server has said anything. */
  get isSilent(): boolean {
    return this.#bytes.length === 0;
  }

  /** `SSH-2.0-OpenSSH_9.2p1` */
  get version(): string | undefined {
    return this.#versionLine()?.line;
  }

  /** The first line of something that is not an SSH version, such as "Exceeded MaxStartups". */
  get otherText(): string {
    const [line = ""] = this.#bytes.toString("latin1", 0, 400).split(/\r?\n/);
    return line.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
  }

  /** Undefined until the server has sent its list. */
  get algorithms(): Algorithms | undefined {
    const start = this.#versionLine()?.end;
    if (start === undefined) return undefined;
    const packet = this.#bytes.subarray(start);
    if (packet.length < 6 || packet[5] !== KEXINIT || packet.length < 4 + packet.readUInt32BE(0))
      return undefined;
    const lists: string[][] = [];
    for (let at = 6 + COOKIE_BYTES; lists.length < 6;) {
      if (at + 4 > packet.length) return undefined;
      const end = at + 4 + packet.readUInt32BE(at);
      lists.push(packet.toString("latin1", at + 4, end).split(","));
      at = end;
    }
    const [kex = [], hostKey = [], cipher = [], , mac = []] = lists;
    return { kex, hostKey, cipher, mac };
  }

  #versionLine(): { line: string; end: number } | undefined {
    const text = this.#bytes.toString("latin1");
    const match = /^(SSH-[^\r\n]*)\r?\n/m.exec(text);
    return match ? { line: match[1] ?? "", end: match.index + match[0].length } : undefined;
  }
}
