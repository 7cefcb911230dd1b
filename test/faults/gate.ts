import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { SimulatedHost } from "../simulator";

/** A call of a program on a host, halted by a gate: nothing of it is done yet. */
export interface HaltedCall {
  /** Lets it go on. */
  run(): void;
  /** Makes it fail with these words, and nothing done. */
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

/** Which call of which program is meant. */
export interface Call {
  /** Its name on the PATH of the host: `mkdir`. */
  readonly program: string;
  /** What its arguments, joined by blanks, have to be like. */
  readonly args: RegExp;
  /** How many such calls pass first (0). */
  readonly skip?: number;
}

const PROGRAM_FOLDER = "/opt/xensource/bin";

/** Takes the place of one program of a host with a real sshd, and halts one call of it. */
export class Gate implements AsyncDisposable {
  /** Resolves when the call is there. */
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

  /** Lies in wait for the call; the first one that matches is halted, all others go on. */
  static async await(host: SimulatedHost, call: Call): Promise<Gate> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return new Gate(call, server, install(host, call.program, port));
  }

  /** Lets whatever is halted go on, and gives the program its place back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.remove();
    this.server.close();
    for (const socket of this.#sockets) if (!socket.writableEnded) socket.end("run\0");
    await once(this.server, "close");
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // A killed program is gone without a word.
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

/** What the program says next; the little that it says comes in one piece. */
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
  if (isInFolder) renameSync(place, aside);
  const behind = isInFolder ? `${PROGRAM_FOLDER}/${program}.aside` : `/usr/bin/${program}`;
  const text = readFileSync(join(__dirname, "bin", "gate"), "utf8")
    .replaceAll("@PORT@", String(port))
    .replaceAll("@PROGRAM@", behind);
  writeFileSync(place, text);
  chmodSync(place, 0o755);
  return () => {
    if (isInFolder) renameSync(aside, place);
    else rmSync(place, { force: true });
  };
}
