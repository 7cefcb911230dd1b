import { timingSafeEqual } from "node:crypto";
import { type AuthContext, type AuthenticationType, type ParsedKey, utils } from "ssh2";

/** What lets a client in. */
export interface Secrets {
  readonly password: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
  /** How a password is asked for. */
  readonly method: "password" | "keyboard-interactive";
}

/** sshd's `MaxAuthTries`: after so many failures it hangs up. */
const MAX_TRIES = 6;

/** Decides on one connection's attempts to log in as root. */
export function authenticator({ password, publicKey, method }: Secrets): (context: AuthContext) => void {
  const key = utils.parseKey(publicKey) as ParsedKey;
  const offered: AuthenticationType[] = ["publickey", method];
  let tries = 0;
  const refuse = (context: AuthContext) => {
    // The first question, by `none`, asks what is offered; sshd does not count it.
    if (context.method !== "none" && ++tries >= MAX_TRIES) context.reject([]);
    else context.reject(offered);
  };

  return (context) => {
    if (context.username !== "root" || !offered.includes(context.method)) return refuse(context);
    if (context.method === "password")
      return context.password === password ? context.accept() : refuse(context);
    if (context.method === "publickey") {
      const isOurs = context.key.algo === key.type && equal(context.key.data, key.getPublicSSH());
      // Without a signature it only asks whether this key would do.
      const isProven = !context.signature || key.verify(context.blob ?? Buffer.alloc(0), context.signature);
      return isOurs && isProven === true ? context.accept() : refuse(context);
    }
    if (context.method === "keyboard-interactive") {
      return context.prompt([{ prompt: "Password: ", echo: false }], (answers) => {
        if (answers[0] === password) context.accept();
        else refuse(context);
      });
    }
    return refuse(context);
  };
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
