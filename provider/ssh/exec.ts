import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ClientChannel } from "ssh2";
import { durationText } from "../text/units";
import { tellingItsEnd } from "./command-channel";
import type { Connection } from "./connection";
import { SshError } from "./error";
import { printable } from "./printable";
import { rejectWhenAborted } from "./reject-when-aborted";
import { type SendWindow, STALL_TIMEOUT_MS } from "./send-window";
import { lines, type Script, sh } from "./sh";
import { timeLimit } from "./time-limit";
import { waiting } from "./wait";

/** What a remote command is given besides its text. */
export interface ExecOptions {
  /** What it does, for messages: "create the storage repository". */
  readonly purpose: string;
  /** How long the host may take once it has the input, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * Sent to its standard input as fast as the host takes it, each piece used up before the next one is asked for;
   * may wait for what the script prints.
   */
  readonly input?: (output: ScriptOutput) => AsyncIterable<Uint8Array>;
  /** Called with the number of bytes of the input each time that some more of it are on the host. */
  readonly onArrived?: (bytes: number) => void;
  /** Ends the command, with its reason, when it is aborted; the script may go on on the host. */
  readonly signal?: AbortSignal;
  /** It moves so many bytes that such commands may not take all channels of a connection. */
  readonly isBulk?: boolean;
  /** It is short and starts at once, even when all channels are taken: one session of the host is kept free for it. */
  readonly isUrgent?: boolean;
}

/** What a script prints while it runs. */
export interface ScriptOutput {
  /** The next line that it prints; undefined once it has ended, or after `withinMs`. */
  nextLine(withinMs?: number): Promise<string | undefined>;
}

/** How a remote command ended. */
export interface ExecResult {
  readonly status: number;
  /** What the script itself printed, without the noise of the root shell's start-up files. */
  readonly stdout: string;
  readonly stderr: string;
  /** What those files printed before it, to standard output. */
  readonly noise: string;
}

/** How long the host may take to begin a command. */
export const BEGIN_TIMEOUT_MS = 60_000;

/**
 * Runs a script on the host, in a shell of its own.
 *
 * `XE_EXTRA_ARGS` is unset, because `xe` would read further arguments from it. What the script prints stands
 * between marks made for this one call, so that whatever root's `.bashrc` prints does no harm.
 *
 * @throws {@link SshError} `CONNECTION_LOST`, `COMMAND_TIMED_OUT` (the script may still run on the host);
 * `CHANNEL_REFUSED`, `NO_SHELL` (the script did not begin); and what `input` throws
 */
export function exec(connection: Connection, script: Script, options: ExecOptions): Promise<ExecResult> {
  const command = { host: connection.address, purpose: options.purpose };
  const wait = {
    what: `${connection.address} to ${options.purpose}`,
    atMost: durationText(options.timeoutMs / 1_000),
  };
  return waiting(wait, () => tellingItsEnd(command, () => run(connection, script, options)));
}

async function run(connection: Connection, script: Script, options: ExecOptions): Promise<ExecResult> {
  options.signal?.throwIfAborted();
  const mark = randomBytes(12).toString("hex");
  const channel = await openChannel(connection, marked(script, mark), options);
  const { sessions, outgoing } = connection;
  sessions.mostOpen = Math.max(sessions.mostOpen, ++sessions.open);
  const ended = new AbortController();
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const output = new LineQueue(mark, ended.signal);
  channel.on("data", (chunk: Buffer) => {
    stdout.push(chunk);
    output.add(chunk);
  });
  channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // Every way a channel breaks ends in `close`; without a listener an error would end the process.
  channel.on("error", () => undefined);
  const closed = once(channel, "close", { signal: ended.signal });
  const timer = timeLimit((limitMs) => timedOut(connection, options, limitMs));

  try {
    const sending = send({ channel, outgoing, output, timer, signal: ended.signal }, options);
    await Promise.race([
      closed,
      rejectWhenAborted(connection.lost, ended.signal),
      ...(options.signal ? [rejectWhenAborted(options.signal, ended.signal)] : []),
      timer.expired,
      failureOf(sending),
    ]);
    return readResult(
      Buffer.concat(stdout).toString(),
      Buffer.concat(stderr).toString(),
      mark,
      connection,
      options,
    );
  } catch (error) {
    // The remote side sees its input end and its output closed; it is told no other way that nobody waits.
    channel.destroy();
    throw error;
  } finally {
    ended.abort();
    timer.stop();
    sessions.open--;
    sessions.hasBegun ||= output.hasBegun;
  }
}

function marked(script: Script, mark: string): Script {
  return lines(
    sh`unset XE_EXTRA_ARGS; export LC_ALL=C PATH="$PATH:/opt/xensource/bin"`,
    sh`echo ${mark}; echo ${mark} >&2`,
    sh`(`,
    script,
    sh`); printf '\n%s %d\n' ${mark} $?`,
  );
}

/** Opens a channel for a command. @throws SshError `CHANNEL_REFUSED` when the host has no session left for it */
async function openChannel(
  connection: Connection,
  script: Script,
  options: ExecOptions,
): Promise<ClientChannel> {
  connection.lost.throwIfAborted();
  const settled = new AbortController();
  const timer = timeLimit((limitMs) => timedOut(connection, options, limitMs));
  timer.restart(BEGIN_TIMEOUT_MS);
  const opening = new Promise<ClientChannel>((resolve, reject) => {
    const { client, address, lost } = connection;
    try {
      client.exec(script.text, (error, channel) => {
        // Nobody waits for it any more.
        if (settled.signal.aborted) return error ? undefined : channel.destroy();
        if (!error) return resolve(channel);
        if (!("reason" in error))
          return reject(
            lost.aborted ? (lost.reason as Error) : noShell(connection, options.purpose, error.message),
          );
        const message =
          `${address} refused to start a command (to ${options.purpose}): ${error.message}. Check MaxSessions in its sshd_config: at ` +
          `least 1 is needed, 10 is its default.`;
        return reject(new SshError("CHANNEL_REFUSED", address, message, { cause: error }));
      });
    } catch {
      // ssh2 throws on a socket that is broken, a little before it tells that it is.
    }
  });
  try {
    return await Promise.race([opening, rejectWhenAborted(connection.lost, settled.signal), timer.expired]);
  } finally {
    settled.abort();
    timer.stop();
  }
}

/** What sends the input of a command. */
interface Sending {
  readonly channel: ClientChannel;
  readonly outgoing: SendWindow;
  readonly output: ScriptOutput;
  readonly timer: ReturnType<typeof timeLimit>;
  /** Aborted when the command has ended. */
  readonly signal: AbortSignal;
}

/** Sends the input with back-pressure; stops when the host closes the channel before it has all. */
async function send(sending: Sending, { input, onArrived, timeoutMs }: ExecOptions): Promise<void> {
  const { channel, output, timer, signal } = sending;
  timer.restart(timeoutMs);
  for await (const chunk of input?.(output) ?? []) {
    for (let start = 0; start < chunk.length && !signal.aborted;)
      start += await sendPiece(sending, chunk.subarray(start), onArrived);
    if (signal.aborted) return;
    timer.restart(timeoutMs);
  }
  channel.end();
}

/** Sends as much as there is room for on the way to the host. @returns how many bytes */
async function sendPiece(
  { channel, outgoing, timer, signal }: Sending,
  chunk: Uint8Array,
  onArrived: ExecOptions["onArrived"],
): Promise<number> {
  // The link itself limits this wait: other commands may be served first.
  timer.pause();
  const bytes = await outgoing.room(chunk.length);
  timer.restart(STALL_TIMEOUT_MS);
  await written(channel, chunk.subarray(0, bytes), signal);
  outgoing.sent(bytes, () => {
    if (!signal.aborted) onArrived?.(bytes);
  });
  return bytes;
}

/** Waits until a piece is used up; a channel that is closed in the midst of it does not say so. */
function written(channel: ClientChannel, chunk: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener("abort", end);
      resolve();
    };
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", end);
    channel.write(chunk, end);
  });
}

/** The lines that a script prints behind its mark, each once. */
class LineQueue implements ScriptOutput {
  readonly #lines: string[] = [];
  #rest = "";
  #hasBegun = false;
  #wake: () => void = () => undefined;

  constructor(
    private readonly mark: string,
    private readonly ended: AbortSignal,
  ) {
    ended.addEventListener("abort", () => this.#wake());
  }

  /** Whether the script has begun. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  add(chunk: Buffer): void {
    // Bytes as they come: a character may be cut, but what is waited for is ASCII.
    const lines = (this.#rest + chunk.toString("latin1")).split("\n");
    this.#rest = lines.pop() ?? "";
    const begin = this.#hasBegun ? 0 : lines.findIndex((line) => line.endsWith(this.mark)) + 1;
    this.#hasBegun ||= begin > 0;
    if (this.#hasBegun) this.#lines.push(...lines.slice(begin));
    this.#wake();
  }

  async nextLine(withinMs?: number): Promise<string | undefined> {
    if (this.#lines.length === 0 && !this.ended.aborted) {
      await new Promise<void>((resolve) => {
        const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs);
        this.#wake = () => {
          if (this.#lines.length === 0 && !this.ended.aborted) return;
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#lines.shift();
  }
}

/** Never resolves: an input that was sent is no end of the command, an input that could not be read is. */
function failureOf(sending: Promise<void>): Promise<never> {
  return new Promise((_resolve, reject) => {
    sending.catch(reject);
  });
}

function readResult(
  stdout: string,
  stderr: string,
  mark: string,
  connection: Connection,
  { purpose }: ExecOptions,
): ExecResult {
  const begin = stdout.indexOf(`${mark}\n`);
  // What a trap in a startup file prints at the end of the shell comes after the status.
  const end = new RegExp(`\\n${mark} (\\d+)\\n`).exec(stdout);
  if (begin < 0) {
    connection.lost.throwIfAborted();
    throw noShell(connection, purpose, `${stdout}\n${stderr}`);
  }
  if (!end) {
    connection.lost.throwIfAborted();
    const message = `The shell of ${connection.target.user} on ${connection.address} ended before the command was done (to ${purpose}).`;
    const hint = `Check that it is bash and that its startup files do not end it.`;
    throw new SshError(
      "CONNECTION_LOST",
      connection.address,
      [message, hint, stderr.trim()].filter(Boolean).join(" "),
    );
  }
  return {
    status: Number(end[1]),
    stdout: stdout.slice(begin + mark.length + 1, Math.max(end.index, begin + mark.length + 1)),
    stderr: stderr.slice(stderr.indexOf(`${mark}\n`) + mark.length + 1),
    noise: stdout.slice(0, begin),
  };
}

/** The host took the login and closed the session before the first line of the command. */
function noShell({ address, target }: Connection, purpose: string, words: string): SshError {
  const said = printable(words);
  const message =
    `${address} logs in ${target.user}, but runs no command (to ${purpose}). Check that the shell is bash, that account and ` +
    `password have not expired, and that there is neither a ForceCommand nor /etc/nologin. ` +
    (said === "" ? "(The host said nothing.)" : `(The host said: ${said})`);
  return new SshError("NO_SHELL", address, message);
}

function timedOut({ address }: Connection, { purpose }: ExecOptions, limitMs: number): SshError {
  const message =
    `${address} did not go on within ${limitMs / 1_000} s (to ${purpose}). ` +
    `Check what its toolstack and its storage are doing: \`xe task-list\` on the host.`;
  return new SshError("COMMAND_TIMED_OUT", address, message);
}
