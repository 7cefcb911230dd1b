import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type AnyAuthMethod, type AuthHandlerMiddleware, type ParsedKey, type Prompt, utils } from "ssh2";
import { type AgentKeys, listAgentKeys, SingleKeyAgent } from "./agent";
import { SshError, type SshErrorCode } from "./error";
import { printable } from "./printable";
import { loadPrivateKey } from "./private-key";
import { addressOf, type SshTarget } from "./target";

type Method = "publickey" | "password" | "keyboard-interactive";

/** One credential in one of the methods that can carry it. */
interface Offer {
  readonly method: Method;
  /** As messages name it: "privateKey". */
  readonly name: string;
  readonly auth: AnyAuthMethod;
  /** It carries the password, which is sent once for each factor that the host wants. */
  readonly isPassword?: boolean;
}

/** A prompt that asks for anything but the password of the account. */
const CODE_PROMPT = /code|token|otp|one[- ]time|passcode|verification|\bpin\b|factor|duo|challenge/i;
/** In the languages that PAM speaks most: "Password:", "Kennwort:", "Mot de passe :". */
const PASSWORD_PROMPT = /pass|kennwort|contraseña|senha|hasło|парол|密码|パスワード/i;
const NEW_PASSWORD_PROMPT = /new.*password|re-?type|again|expired|change your password|password change/i;

/**
 * The course of one login: which credentials are offered, and what the host says to each.
 *
 * It asks first which methods the host takes, as OpenSSH's client does; that does not count as a try. The program's
 * private key and password come before the keys of an agent, because sshd ends the connection after six failures
 * (`MaxAuthTries`) and an agent may hold more keys than that. No credential is offered twice, except the password
 * as a further factor after the host has accepted one.
 */
export class Authentication {
  readonly #offers: Offer[];
  readonly #used = new Set<Offer>();
  readonly #accepted: string[] = [];
  readonly #refused: string[] = [];
  #current: Offer | undefined;
  #methods: readonly string[] = [];
  #isPasswordSent = false;
  #keys: Promise<readonly Offer[]> | undefined;
  #agentKeys: AgentKeys | undefined;
  #agentProblem: string | undefined;
  /** Key files that are there and could not be used, with why. */
  #unreadFiles: readonly string[] = [];
  /** Certificates that the configuration names, and those beside key files. */
  #certificates: readonly string[] = [];
  #stop: SshError | undefined;

  constructor(
    private readonly target: SshTarget,
    private readonly abandon: () => void,
  ) {
    this.#offers = offersOf(target, (...args) => this.#answer(...args));
  }

  /** Whether a credential was sent. */
  get hasOffered(): boolean {
    return this.#used.size > 0;
  }

  /** What was sent, for messages: "privateKey, password". */
  get offered(): string {
    return [...new Set([...this.#used].map(({ name }) => name))].join(", ");
  }

  /** Whether this side has ended the login. */
  get hasStopped(): boolean {
    return this.#stop !== undefined;
  }

  /** For `ssh2`: gives the next credential, or none. */
  readonly handler: AuthHandlerMiddleware = (_methodsLeft, _partialSuccess, next) => {
    if (this.#methods.length === 0) {
      next({ type: "none", username: this.target.user });
      return;
    }
    // ssh2 takes false for "no further method"; its types do not say so.
    const offerNext = (offer: Offer | undefined) => next((this.#current = offer)?.auth ?? (false as never));
    this.#next().then(offerNext, (error: unknown) => {
      this.#stop = this.#error(
        "AUTHENTICATION_FAILED",
        `was not offered a key: the keys cannot be read.`,
        String(error),
      );
      offerNext(undefined);
    });
  };

  /** Takes a refusal as the host sent it: `ssh2` does not pass it on when it answers a key of an agent. */
  refused(methods: readonly string[], isPartialSuccess: boolean): void {
    this.#methods = methods.length === 0 ? ["nothing"] : methods;
    if (!this.#current) return;
    if (isPartialSuccess) {
      this.#accepted.push(this.#current.name);
      this.#isPasswordSent = false;
    } else if (!this.#refused.includes(this.#current.name)) this.#refused.push(this.#current.name);
    this.#current = undefined;
  }

  /** An agent that could not be asked, or refused to sign. */
  agentFailed({ message }: Error): void {
    this.#agentProblem ??= message;
    this.#current = undefined;
  }

  /**
   * Stops waiting for an agent, once the login has ended.
   *
   * @returns whether one was asked to sign and has not answered
   */
  stopAgent(): boolean {
    const auth = this.#current?.auth;
    return auth?.type === "agent" && auth.agent instanceof SingleKeyAgent && auth.agent.stop();
  }

  agentSilent(seconds: number): SshError {
    return this.#error(
      "AGENT_FAILED",
      `could not log in ${this.target.user}: the SSH agent at ${this.target.agentSocketPath ?? "?"} has not signed within ${seconds} s. ` +
        "It may wait for its user: confirm there, set a longer perDialTimeout, or set password or privateKey.",
    );
  }

  passwordExpired(): void {
    this.#end("PASSWORD_EXPIRED", EXPIRED);
  }

  /** Why the login has failed. `hostSays` are the words with which the host ended the connection. */
  failure(hostSays?: string): SshError {
    if (this.#stop) return this.#stop;
    const { user } = this.target;
    const held = this.#agentKeys?.usable.length ?? 0;
    if (hostSays !== undefined && /too many authentication failures/i.test(hostSays)) {
      const remedy =
        held > 0
          ? `The agent holds ${held} keys, and the host allows only a few tries (MaxAuthTries): set privateKey, or take ` +
            "keys out of the agent with `ssh-add -d`."
          : "Check user, password and privateKey.";
      return this.#error(
        "TOO_MANY_FAILURES",
        `refused the login as ${user} (${this.#course()}). ${remedy}`,
        hostSays,
      );
    }
    if (this.#accepted.length > 0) {
      const wanted = this.#methods.map(factorName).join(" or ");
      return this.#error(
        "FACTOR_MISSING",
        `refused the login as ${user}: ${this.#accepted.join(" and ")} accepted; the host also wants: ${wanted}` +
          `${this.#refused.length > 0 ? ` (${this.#course()})` : ""}. Set what it wants.`,
        hostSays,
      );
    }
    if (this.#agentProblem !== undefined && this.#refused.length === 0)
      return this.#error(
        "AGENT_FAILED",
        `could not log in ${user}: the SSH agent at ${this.target.agentSocketPath ?? "?"} cannot be used (${this.#agentProblem}). ` +
          `${this.#isAgentEmpty ? EMPTY_AGENT_REMEDY : AGENT_REMEDY}${this.#leftOut()}`,
        hostSays,
      );
    return this.#error(
      "AUTHENTICATION_FAILED",
      `refused the login as ${user} (${this.#course()}). ${this.#remedy()}${this.#leftOut()}`,
      hostSays,
    );
  }

  get #isAgentEmpty(): boolean {
    return this.#agentKeys?.usable.length === 0;
  }

  /** The keys that are there and were not offered. */
  #leftOut(): string {
    const types = [...new Set(this.#agentKeys?.unusable ?? [])].join(", ");
    const hardware = types === "" ? "" : ` Keys of these types in the agent cannot be used: ${types}.`;
    const unread =
      this.#unreadFiles.length > 0 ? ` These key files were left out: ${this.#unreadFiles.join("; ")}.` : "";
    const certificates =
      this.#certificates.length > 0
        ? ` Certificates cannot be used: ${this.#certificates.join(", ")}. Let the host take the key itself (authorized_keys).`
        : "";
    return `${hardware}${unread}${certificates}`;
  }

  #course(): string {
    const tried = this.#refused.length === 0 ? "nothing" : this.#refused.join(", ");
    const agent =
      this.#agentProblem === undefined ? "" : `; the SSH agent cannot be used: ${this.#agentProblem}`;
    return `tried: ${tried}${agent}`;
  }

  #remedy(): string {
    const takes = this.#methods.filter((method) => METHODS.includes(method as Method)).map(factorName);
    if (this.#methods.length === 0) return "Check user, password and privateKey.";
    if (takes.length === 0)
      return `The host accepts only ${this.#methods.join(", ")}, which cannot be used here.`;
    return this.#refused.length === 0
      ? `The host accepts ${takes.join(" or ")}: set it.`
      : `Check user, password and privateKey. The host accepts ${takes.join(" or ")}.`;
  }

  async #next(): Promise<Offer | undefined> {
    if (this.#stop) return undefined;
    const offer = this.#offers.find((each) => this.#mayOffer(each)) ?? (await this.#nextKey());
    if (!offer) return undefined;
    this.#used.add(offer);
    // By keyboard-interactive it is sent once the host asks for it.
    if (offer.method === "password") this.#isPasswordSent = true;
    return offer;
  }

  #mayOffer(offer: Offer): boolean {
    return (
      this.#methods.includes(offer.method) &&
      !this.#used.has(offer) &&
      !(offer.isPassword && this.#isPasswordSent)
    );
  }

  /** The keys of the agent and of the user's files, which are read only when it is their turn. */
  async #nextKey(): Promise<Offer | undefined> {
    if (!this.#methods.includes("publickey")) return undefined;
    this.#keys ??= this.#loadKeys();
    return (await this.#keys).find((offer) => this.#mayOffer(offer));
  }

  /**
   * In the order of OpenSSH's client: keys of the agent that a file names, in the agent's order, its other keys, files
   * without an agent.
   *
   * @see openssh-portable: sshconnect2.c `pubkey_prepare`
   */
  async #loadKeys(): Promise<readonly Offer[]> {
    const { agentSocketPath, identityFiles = [], identitiesOnly, privateKeyPassword, user } = this.target;
    const { certificateFiles = [] } = this.target;
    if (agentSocketPath !== undefined)
      this.#agentKeys = await listAgentKeys(agentSocketPath).catch((error: unknown) => {
        this.#agentProblem = error instanceof Error ? error.message : String(error);
        return undefined;
      });
    if (this.#isAgentEmpty) this.#agentProblem = "it holds no usable key";
    const inAgent = this.#agentKeys?.usable ?? [];
    const files = await Promise.all(identityFiles.map((path) => readIdentity(path, privateKeyPassword)));
    const isNamed = (key: ParsedKey) => files.some((file) => file.publicKey && isSame(file.publicKey, key));
    const named = inAgent.filter(isNamed);
    const others = identitiesOnly ? [] : inAgent.filter((key) => !isNamed(key));
    this.#unreadFiles = files.flatMap(({ path, problem, publicKey }) =>
      problem === undefined || named.some((key) => publicKey && isSame(publicKey, key))
        ? []
        : [`${path}: ${problem}`],
    );
    const besideKeys = identityFiles.map((path) => `${path}-cert.pub`);
    this.#certificates = [...new Set([...certificateFiles, ...besideKeys])].filter(existsSync);
    const ofAgent = [...named, ...others].map((key) => ({
      method: "publickey" as const,
      name: "agent",
      auth: { type: "agent" as const, username: user, agent: new SingleKeyAgent(agentSocketPath ?? "", key) },
    }));
    const ofFiles = files.flatMap(({ path, key }) =>
      key && !named.some((other) => isSame(other, key))
        ? [
            {
              method: "publickey" as const,
              name: path,
              auth: { type: "publickey" as const, username: user, key },
            },
          ]
        : [],
    );
    return [...ofAgent, ...ofFiles];
  }

  /** Answers the first prompt that asks for the password; anything else is not guessed. */
  #answer(instructions: string, prompts: readonly Prompt[], finish: (answers: string[]) => void): void {
    const { password = "" } = this.target;
    const [first, ...others] = prompts;
    const { prompt: asked, echo = false } = others[0] ?? first ?? { prompt: "" };
    // A password is not shown while it is typed.
    const isForPassword = PASSWORD_PROMPT.test(asked) && !CODE_PROMPT.test(asked) && !echo;
    if (NEW_PASSWORD_PROMPT.test(`${instructions} ${prompts.map(({ prompt }) => prompt).join(" ")}`)) {
      this.#end("PASSWORD_EXPIRED", EXPIRED);
    } else if (this.#isPasswordSent || others.length > 0 || !isForPassword) {
      const after = this.#isPasswordSent ? " after the password" : "";
      this.#end(
        "PROMPT_UNANSWERED",
        `asks ${this.target.user} for "${printable(asked, 80)}"${after}, which cannot be answered. Log in with a key, or let the host take ` +
          "the password alone for this user.",
      );
    } else {
      this.#isPasswordSent = true;
      finish([password]);
    }
  }

  #end(code: SshErrorCode, message: string): void {
    this.#stop = this.#error(code, message);
    this.abandon();
  }

  #error(code: SshErrorCode, message: string, hostSays?: string): SshError {
    const address = addressOf(this.target);
    return new SshError(code, address, `${address} ${message}${hostSays ? ` (${hostSays})` : ""}`);
  }
}

const METHODS: readonly Method[] = ["publickey", "password", "keyboard-interactive"];

const AGENT_REMEDY =
  "Start the agent anew and set SSH_AUTH_SOCK or agentSocketPath to it, or set password or privateKey.";

const EMPTY_AGENT_REMEDY =
  "Add a key with `ssh-add`, unlock the agent with `ssh-add -X` if it is locked, or set password or privateKey.";

const EXPIRED =
  "asks for a new password: the old one has expired. Log in by hand and set a new one (`passwd`), then use that.";

function factorName(method: string): string {
  if (method === "publickey") return "a key";
  return method === "keyboard-interactive" ? "a password or code (keyboard-interactive)" : method;
}

type Answer = (instructions: string, prompts: readonly Prompt[], finish: (answers: string[]) => void) => void;

/** What the program gives. By keyboard-interactive first, as OpenSSH's client, because there the host says what it asks for. */
function offersOf(target: SshTarget, answer: Answer): Offer[] {
  const { user: username, password, privateKey, privateKeyPassword } = target;
  const offers: Offer[] = [];
  if (privateKey !== undefined) {
    const loaded = loadPrivateKey(privateKey, privateKeyPassword);
    if ("key" in loaded)
      offers.push({
        method: "publickey",
        name: "privateKey",
        auth: { type: "publickey", username, key: loaded.key },
      });
  }
  if (password !== undefined) {
    offers.push({
      method: "keyboard-interactive",
      name: "password",
      isPassword: true,
      auth: {
        type: "keyboard-interactive",
        username,
        prompt: (_name, instructions, _language, prompts, finish) => answer(instructions, prompts, finish),
      },
    });
    offers.push({
      method: "password",
      name: "password",
      isPassword: true,
      auth: { type: "password", username, password },
    });
  }
  return offers;
}

interface Identity {
  readonly path: string;
  /** Undefined if only an agent has it. */
  readonly key?: ParsedKey;
  /** Undefined if nothing tells it. */
  readonly publicKey?: ParsedKey;
  /** Why a private key that is there cannot be used. */
  readonly problem?: string;
}

/** A file that is missing, or cannot be opened with the passphrase there is, is passed over as by OpenSSH's client. */
async function readIdentity(path: string, passphrase: string | undefined): Promise<Identity> {
  const text = await readFile(path, "utf8").catch(() => "");
  const loaded = loadPrivateKey(text, passphrase);
  if ("key" in loaded) return { path, key: loaded.key, publicKey: loaded.key };
  const publicKey = parsePublic(await readFile(`${path}.pub`, "utf8").catch(() => text));
  const isPrivate = text !== "" && !parsePublic(text);
  return {
    path,
    ...(publicKey && { publicKey }),
    ...(isPrivate && { problem: `${loaded.problem}, or add it to the agent with \`ssh-add ${path}\`` }),
  };
}

function parsePublic(text: string): ParsedKey | undefined {
  const key = utils.parseKey(text);
  return key instanceof Error || Array.isArray(key) ? undefined : key;
}

function isSame(one: ParsedKey, other: ParsedKey): boolean {
  return one.getPublicSSH().equals(other.getPublicSSH());
}
