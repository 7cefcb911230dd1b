import * as pulumi from "@pulumi/pulumi";

/**
 * How to reach a host, with the same names as in `@pulumi/command`. Fields that are left out come from the
 * stack's configuration, namespace `xen`: `pulumi config set --secret xen:password …`.
 */
export interface ConnectionArgs {
  /** Name or IP address of the host itself (dom0), IPv6 without brackets; or an alias in `~/.ssh/config`. */
  host?: pulumi.Input<string | undefined> | undefined;
  /** Default: what `~/.ssh/config` says, else 22. */
  port?: pulumi.Input<number | undefined> | undefined;
  /** Default: what `~/.ssh/config` says, else `root`. */
  user?: pulumi.Input<string | undefined> | undefined;
  /** Used for `password` and for `keyboard-interactive`. Always kept as a secret. */
  password?: pulumi.Input<string | undefined> | undefined;
  /** The text of a private key, in any form that `ssh-keygen` reads. Always kept as a secret. */
  privateKey?: pulumi.Input<string | undefined> | undefined;
  /** Decrypts an encrypted `privateKey`. Always kept as a secret. */
  privateKeyPassword?: pulumi.Input<string | undefined> | undefined;
  /**
   * Path of an SSH agent's socket, on Windows of its named pipe. Default: `IdentityAgent` in `~/.ssh/config`, else the
   * variable `SSH_AUTH_SOCK`.
   */
  agentSocketPath?: pulumi.Input<string | undefined> | undefined;
  /**
   * The host's public key (`ssh-ed25519 AAAA…`), a line of `ssh-keyscan`, or its fingerprint (`SHA256:…`); a list
   * of them if any may match. Without it the user's `known_hosts` decides; `ignore` turns the check off.
   */
  hostKey?: pulumi.Input<string | readonly pulumi.Input<string>[] | undefined> | undefined;
  /** A jump host, with the same fields. Default: `ProxyJump` in `~/.ssh/config`. */
  proxy?: pulumi.Input<ConnectionArgs | undefined> | undefined;
  /**
   * Whether `~/.ssh/config` says what is left out, as it does for `ssh`; or the path of another file. OpenSSH's own
   * `ssh -G` reads it, each time anew; nothing of it is stored. Default true where there is an `ssh`.
   */
  sshConfig?: pulumi.Input<boolean | string | undefined> | undefined;
  /** How many times to try a connection, jump hosts included; -1 for ever. Default 10. */
  dialErrorLimit?: pulumi.Input<number | undefined> | undefined;
  /** Timeout of one try, in seconds; 0 for no limit. Default 15. */
  perDialTimeout?: pulumi.Input<number | undefined> | undefined;
}

/** Connections by name, each with its secrets marked. */
export function eachWithSecrets(
  connections: pulumi.Input<Record<string, pulumi.Input<ConnectionArgs>> | undefined> | undefined,
):
  pulumi.Input<Record<string, pulumi.Input<ConnectionArgs | undefined> | undefined> | undefined> | undefined {
  if (!connections || typeof connections !== "object") return connections;
  if (pulumi.Output.isInstance(connections) || connections instanceof Promise)
    return pulumi.secret(connections);
  return Object.fromEntries(Object.entries(connections).map(([name, each]) => [name, withSecrets(each)]));
}

const SECRETS = ["password", "privateKey", "privateKeyPassword"] as const;

/**
 * The connection with its secrets marked as such: field by field if the fields are visible, else as a whole.
 */
export function withSecrets(
  connection: pulumi.Input<ConnectionArgs | undefined> | undefined,
): pulumi.Input<ConnectionArgs | undefined> | undefined {
  if (typeof connection !== "object") return connection;
  if (pulumi.Output.isInstance(connection) || connection instanceof Promise) return pulumi.secret(connection);
  const marked = { ...connection };
  for (const name of SECRETS) if (marked[name] !== undefined) marked[name] = pulumi.secret(marked[name]);
  if (marked.proxy !== undefined) marked.proxy = withSecrets(marked.proxy);
  return marked;
}
