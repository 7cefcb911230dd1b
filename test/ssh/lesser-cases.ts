import { type ChildProcess, execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authorizedKeys, hostKey, right } from "./cases";
import { type KeyFile, keygen, startAgent } from "./keys";
import type { SshdOptions } from "./sshd";

/** A login that only OpenSSH's client can do. */
export interface LesserCase {
  readonly name: string;
  readonly sshd: SshdOptions;
  /** The configuration that both clients read, for the host `xen1` at a port. */
  readonly configuration: (port: number) => string;
  /** What this package says. */
  readonly message: RegExp;
}

/** Makes what the cases need: keys, certificates and an agent. */
export async function makeLesserCases(agents: ChildProcess[]): Promise<LesserCase[]> {
  const authority = keygen("-t", "ed25519");
  const certified = keygen("-t", "ed25519");
  certify(authority, certified, "-n", "root");
  const agent = await startAgent([certified], agents);
  const certifiedHost = keygen("-t", "ed25519");
  certify(authority, certifiedHost, "-h", "-n", "127.0.0.1");
  const folder = mkdtempSync(join(tmpdir(), "lesser-"));
  const plainKey = join(folder, "key");
  const certificate = join(folder, "elsewhere.pub");
  copyFileSync(certified.path, plainKey);
  copyFileSync(`${certified.path}-cert.pub`, certificate);
  const known = (port: number, text: string) => {
    const path = join(folder, `known-${port}`);
    writeFileSync(path, `${text}\n`);
    return `UserKnownHostsFile ${path}\n`;
  };
  const block = (port: number, more: string) =>
    `Host xen1\nHostName 127.0.0.1\nPort ${port}\nUser root\n${more}\nHost *\n` +
    "GlobalKnownHostsFile none\nStrictHostKeyChecking yes\nPreferredAuthentications publickey\n";
  const asUsual = (port: number) => known(port, `[127.0.0.1]:${port} ${hostKey.publicKey}`);
  const plain = { hostKeys: [hostKey.privateKey], authorizedKeys };
  const byCertificate = {
    hostKeys: [hostKey.privateKey],
    authorizedKeys: [`cert-authority ${authority.publicKey}`],
  };

  return [
    {
      name: "a ProxyCommand",
      sshd: plain,
      configuration: (port) =>
        block(
          port,
          `${asUsual(port)}IdentityFile ${right.path}\nProxyCommand bash -c "exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3"\n`,
        ),
      message: /has a ProxyCommand for xen1, which is not run here\. Set ProxyJump/,
    },
    {
      name: "a key with a certificate",
      sshd: byCertificate,
      configuration: (port) =>
        block(port, `${asUsual(port)}IdentityAgent none\nIdentityFile ${certified.path}\n`),
      message: /Certificates cannot be used: .*-cert\.pub\. Let the host take the key itself/,
    },
    {
      name: "a certificate that CertificateFile names",
      sshd: byCertificate,
      configuration: (port) =>
        block(
          port,
          `${asUsual(port)}IdentityAgent none\nIdentityFile ${plainKey}\nCertificateFile ${certificate}\n`,
        ),
      message: /Certificates cannot be used: .*elsewhere\.pub\. Let the host take the key itself/,
    },
    {
      name: "a certificate in an agent",
      sshd: byCertificate,
      configuration: (port) => block(port, `${asUsual(port)}IdentityAgent ${agent}\nIdentityFile none\n`),
      message: /Keys of these types in the agent cannot be used: ssh-ed25519-cert-v01@openssh\.com/,
    },
    {
      name: "a host with a certificate",
      sshd: {
        hostKeys: [certifiedHost.privateKey],
        hostCertificate: readFileSync(`${certifiedHost.path}-cert.pub`, "utf8"),
        authorizedKeys,
      },
      configuration: (port) =>
        block(
          port,
          `${known(port, `@cert-authority * ${authority.publicKey}`)}IdentityAgent none\nIdentityFile ${right.path}\n`,
        ),
      message: /is not known .*The @cert-authority in known_hosts cannot vouch for it here\. Compare/,
    },
  ];
}

function certify(authority: KeyFile, { path }: KeyFile, ...options: readonly string[]): void {
  execFileSync("ssh-keygen", ["-q", "-s", authority.path, "-I", "xen1", ...options, `${path}.pub`]);
}
