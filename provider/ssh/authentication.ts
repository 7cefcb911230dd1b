import { type AnyAuthMethod, type AuthHandlerMiddleware, utils } from "ssh2";
import type { SshTarget } from "./target";

/** The ways to log in that a target offers, in turn, and what became of each. */
export interface Authentication {
  readonly handler: AuthHandlerMiddleware;
  /** The methods tried so far, as a message lists them: "publickey, password". */
  tried(): string;
}

/**
 * Offers the private key, the password (by both methods that sshd may ask it with) and the agent: what the
 * program gave explicitly comes first, because sshd ends the connection after six failures (`MaxAuthTries`)
 * and an agent may hold more keys than that.
 */
export function authenticationOf(target: SshTarget): Authentication {
  const methods = authMethods(target);
  const tried = new Set<string>();
  return {
    tried: () => (tried.size === 0 ? "nothing" : [...tried].join(", ")),
    // null at first, whatever ssh2's types say: the server tells with its first refusal what it takes.
    handler: (methodsLeft: readonly string[] | null, _partialSuccess, next) => {
      let method = methods.shift();
      while (method && methodsLeft && !isOffered(method, methodsLeft)) method = methods.shift();
      if (method) tried.add(method.type === "agent" ? "agent" : method.type);
      // ssh2 takes false for "no further method"; its types do not say so.
      next(method ?? (false as never));
    },
  };
}

/**
 * Whether a private key can be used as it is.
 *
 * @returns what is wrong with it in words that hold nothing of the key, or undefined
 */
export function privateKeyProblem(privateKey: string, privateKeyPassword?: string): string | undefined {
  const key = utils.parseKey(privateKey, privateKeyPassword);
  if (!(key instanceof Error)) return key.isPrivateKey() ? undefined : "it is a public key";
  if (/no passphrase given/.test(key.message)) return "it is encrypted, and there is no privateKeyPassword";
  if (/bad passphrase|integrity check failed|bad decrypt/i.test(key.message))
    return "privateKeyPassword does not open it";
  return "it is not a private key in PEM or OpenSSH form";
}

function authMethods(target: SshTarget): AnyAuthMethod[] {
  const { user: username, password, privateKey, privateKeyPassword, agentSocketPath: agent } = target;
  const methods: AnyAuthMethod[] = [];
  if (privateKey !== undefined) {
    const passphrase = privateKeyPassword === undefined ? {} : { passphrase: privateKeyPassword };
    methods.push({ type: "publickey", username, key: privateKey, ...passphrase });
  }
  if (password !== undefined) {
    methods.push({ type: "password", username, password });
    methods.push({
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => {
        finish(prompts.map(() => password));
      },
    });
  }
  if (agent !== undefined) methods.push({ type: "agent", username, agent });
  return methods;
}

function isOffered(method: AnyAuthMethod, methodsLeft: readonly string[]): boolean {
  return methodsLeft.includes(method.type === "agent" ? "publickey" : method.type);
}
