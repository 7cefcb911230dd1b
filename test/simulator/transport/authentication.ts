import {
  type AuthContext,
  type KeyboardAuthContext,
  type ParsedKey,
  type PasswordAuthContext,
  type PublicKeyAuthContext,
  utils,
} from "ssh2";

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

/** Decides on attempts to log in as root; what it returns serves one connection. */
export function authenticator(secrets: Secrets): () => (context: AuthContext) => void {
  const key = utils.parseKey(secrets.publicKey);
  if (key instanceof Error) throw key;
  return () => {
    let tries = 0;
    return (context) => {
      void isLetIn(context, { ...secrets, key }).then((isIn) => {
        if (isIn) context.accept();
        // The first question, by `none`, asks what is offered; sshd does not count it.
        else if (context.method !== "none" && ++tries >= MAX_TRIES) context.reject([]);
        else context.reject(["publickey", secrets.method]);
      });
    };
  };
}

async function isLetIn(context: AuthContext, secrets: Secrets & { key: ParsedKey }): Promise<boolean> {
  if (context.username !== "root") return false;
  if (context.method === "publickey") return isOurs(context, secrets.key);
  if (context.method !== secrets.method) return false;
  return (await passwordOf(context)) === secrets.password;
}

async function passwordOf(context: PasswordAuthContext | KeyboardAuthContext): Promise<string | undefined> {
  if (context.method === "password") return context.password;
  const answers = await new Promise<string[]>((resolve) => {
    context.prompt([{ prompt: "Password: ", echo: false }], resolve);
  });
  return answers[0];
}

/** Without a signature a client only asks whether this key would do. */
function isOurs({ key, signature, blob }: PublicKeyAuthContext, ours: ParsedKey): boolean {
  const isSame = key.algo === ours.type && key.data.equals(ours.getPublicSSH());
  return isSame && (!signature || ours.verify(blob ?? Buffer.alloc(0), signature));
}
