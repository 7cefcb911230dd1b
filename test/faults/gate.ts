import { once } from "node:events";
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { SimulatedHost } from "../simulator";

/** A call of a program on a host, halted by a gate before it does anything. */
export interface HaltedCall {
  /** Lets it go on. */
  run(): void;
  /** Makes it fail with these words; it does nothing. */
  fail(words: string): void;
  /** Ends the whole remote command that it is part of. */
  kill(): void;
  /**
   * Lets it do its work, and halts it again before its caller learns of it.
   *
   * @returns once it is done
   */
  finish(): Promise<void>;
}

/** A call of a program. */
export interface Call {
  /** Its name on the PATH of the host: `mkdir`. */
  readonly program: string;
  /** Matches its arguments, joined by blanks. */
  readonly args: RegExp;
  /** How many such calls pass first (0). */
  readonly skip?: number;
}

const PROGRAM_FOLDER = "/opt/xensource/bin";

/** Replaces one program of a host with a real sshd, and halts one call of it. */
export class Gate implements AsyncDisposable {
  /** Resolves when the call is made. */
  readonly halted: Promise<HaltedCall>;
  #halt: (call: HaltedCall) => void = () => undefined;
  #skip: number;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly call: Call,
    private readonly server: Server,
    private readonly remove: () => void,
  ) {
    this.#skip = call.skip ?? 0;
    this.halted = new Promise((resolve) => (this.#halt = resolve));
    server.on("connection", (socket: Socket) => void this.#serve(socket));
  }

  /** Waits for the call: the first one that matches is halted, all others go on. */
  static async await(host: SimulatedHost, call: Call): Promise<Gate> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return new Gate(call, server, install(host, call.program, port));
  }

  /** Lets every halted call go on, and puts the program back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.remove();
    this.server.close();
    for (const socket of this.#sockets) if (!socket.writableEnded) socket.end("run\0");
    await once(this.server, "close");
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // A killed program resets its connection.
    socket.on("error", () => undefined);
    const [args = ""] = (await nextText(socket)).split("\0");
    if (this.call.args.test(args) && this.#skip-- === 0) this.#halt(haltedCall(socket));
    else socket.end("run\0");
  }
}

function haltedCall(socket: Socket): HaltedCall {
  return {
    run: () => socket.end("run\0"),
    fail: (words) => socket.end(`fail\0${words}\0`),
    kill: () => socket.end("kill\0"),
    finish: async () => {
      socket.write("watch\0");
      await nextText(socket);
    },
  };
}

/** The next message of the program, which is short enough to come in one piece. */
async function nextText(socket: Socket): Promise<string> {
  const ended = once(socket, "close").then(() => [""]);
  const [text] = (await Promise.race([once(socket, "data"), ended])) as [Buffer | string];
  return text.toString();
}

/** @returns what undoes it */
function install(host: SimulatedHost, program: string, port: number): () => void {
  const place = host.path(join(PROGRAM_FOLDER, program));
  const aside = `${place}.aside`;
  const isInFolder = existsSync(place);
  // Both names may lead to the program already, so that renaming one to the other would do nothing.
  if (isInFolder && !existsSync(aside)) linkSync(place, aside);
  const behind = isInFolder ? `${PROGRAM_FOLDER}/${program}.aside` : `/usr/bin/${program}`;
  const text = readFileSync(join(__dirname, "bin", "gate"), "utf8")
    .replaceAll("@PORT@", String(port))
    .replaceAll("@PROGRAM@", behind);
  // A file of its own, which takes the program's name at once: the program itself is never written to.
  writeFileSync(`${place}.gate`, text, { mode: 0o755 });
  renameSync(`${place}.gate`, place);
  return () => {
    // A host that has rebooted since is found at another path.
    const now = host.path(join(PROGRAM_FOLDER, program));
    if (!isInFolder) return rmSync(now, { force: true });
    // A call that was let go on may not have started the program yet: it keeps both names.
    linkSync(`${now}.aside`, `${now}.new`);
    renameSync(`${now}.new`, now);
  };
}
