import { once } from "node:events";
import type { Duplex } from "node:stream";
import {
  BaseAgent,
  createAgent,
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
  utils,
} from "ssh2";

/** What an agent holds. */
export interface AgentKeys {
  /** The usable keys, in the agent's order. */
  readonly usable: readonly ParsedKey[];
  /** Types of the unusable keys: hardware keys and certificates. */
  readonly unusable: readonly string[];
}

/** An agent answers at once, even if it asks its user before it signs. */
const LIST_TIMEOUT_MS = 5_000;

/** @see draft-miller-ssh-agent, section 3 */
const REQUEST_IDENTITIES = Buffer.from([0, 0, 0, 1, 11]);
const IDENTITIES_ANSWER = 12;

/**
 * Lists the keys of an agent. Own code, because `ssh2` silently drops keys of unknown types.
 *
 * @throws Error if the agent does not answer
 */
export async function listAgentKeys(socketPath: string): Promise<AgentKeys> {
  const agent = createAgent(socketPath);
  if (!agent.getStream) {
    const usable = await new Promise<ParsedKey[]>((resolve, reject) => {
      agent.getIdentities((error, keys) => (error ? reject(error) : resolve((keys ?? []) as ParsedKey[])));
    });
    return { usable, unusable: [] };
  }
  const stream = await new Promise<Duplex>((resolve, reject) => {
    agent.getStream?.((error, opened) =>
      opened ? resolve(opened) : reject(error ?? new Error("no stream")),
    );
  });
  try {
    stream.write(REQUEST_IDENTITIES);
    return parseIdentities(await readMessage(stream, AbortSignal.timeout(LIST_TIMEOUT_MS)));
  } finally {
    stream.destroy();
  }
}

/** An agent that offers only one of its keys, so that a login learns the fate of each. */
export class SingleKeyAgent extends BaseAgent<ParsedKey> {
  /** Open while the agent is asked to sign: it may wait for its user. */
  #asked: Duplex | undefined;

  constructor(
    private readonly socketPath: string,
    private readonly key: ParsedKey,
  ) {
    super();
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    done(undefined, [this.key]);
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    const agent = createAgent(this.socketPath);
    const getStream = agent.getStream?.bind(agent);
    if (getStream)
      agent.getStream = (opened) =>
        getStream((error, stream) => {
          this.#asked = stream;
          stream?.once("close", () => (this.#asked = undefined));
          opened(error, stream);
        });
    if (typeof options === "function") agent.sign(key, data, options);
    else agent.sign(key, data, options, done);
  }

  /**
   * Stops waiting for the agent.
   *
   * @returns whether it was asked and has not answered
   */
  stop(): boolean {
    const wasAsked = this.#asked !== undefined;
    this.#asked?.destroy();
    return wasAsked;
  }
}

async function readMessage(stream: Duplex, signal: AbortSignal): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  const gone = Promise.race([once(stream, "close", { signal }), once(stream, "end", { signal })]).then(() => {
    throw new Error("the agent closed the connection");
  });
  gone.catch(() => undefined);
  while (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32BE(0)) {
    const [chunk] = (await Promise.race([once(stream, "data", { signal }), gone])) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
  }
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0));
}

function parseIdentities(message: Buffer): AgentKeys {
  if (message[0] !== IDENTITIES_ANSWER) throw new Error("the agent refused to list its keys");
  const usable: ParsedKey[] = [];
  const unusable: string[] = [];
  const count = message.readUInt32BE(1);
  for (let at = 5, index = 0; index < count; index++) {
    const blob = message.subarray(at + 4, at + 4 + message.readUInt32BE(at));
    at += 4 + blob.length;
    at += 4 + message.readUInt32BE(at);
    const key = utils.parseKey(blob);
    if (key instanceof Error || Array.isArray(key))
      unusable.push(blob.toString("latin1", 4, 4 + blob.readUInt32BE(0)));
    else usable.push(key);
  }
  return { usable, unusable };
}
