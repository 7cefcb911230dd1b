import { isRefusedLogin, SshError, type SshErrorCode } from "../ssh/error";
import { addressOf, type SshTarget } from "../ssh/target";
import { errorInFlags, inFlags } from "./connection-options";
import type { Check } from "./diagnosis";

const RELOAD = "then `systemctl reload sshd`";
const SSHD_LOG = "`journalctl -u sshd` on that host has sshd's own reason";

/** What to do about each kind of fault, beyond what its message says. */
const ADVICE: Readonly<Record<SshErrorCode, string>> = {
  SSH_CONFIG_REFUSED: "`--ssh-config false` reads no configuration, `--ssh-config <path>` another one.",
  UNREACHABLE: "`ping` and `nc -vz <host> <port>` from this machine show how far it gets.",
  DIAL_FAILED: "The host may be fine: this says nothing about it.",
  CONNECTION_REFUSED:
    "`systemctl status sshd` and `ss -tln` on the host show whether sshd runs, and on which port.",
  JUMP_HOST_UNREACHABLE:
    "The host behind it may be well: this says nothing about it. Check a VPN, and the address of the jump host.",
  FORWARDING_REFUSED: `Set \`AllowTcpForwarding yes\` in /etc/ssh/sshd_config of the jump host, ${RELOAD}.`,
  LOGIN_INTERRUPTED: `${SSHD_LOG}: MaxStartups, PerSourcePenalties, or a firewall such as fail2ban.`,
  LOGIN_TIMED_OUT: `${SSHD_LOG}. --per-dial-timeout gives it more time.`,
  LOGIN_ENDED: `${SSHD_LOG}: pam_nologin, pam_access, an expired account.`,
  NOT_SSH: "Give the port of sshd with connection.port: the host's sshd_config has it.",
  HANDSHAKE_FAILED: `${SSHD_LOG}.`,
  NO_COMMON_ALGORITHM: `Add one to that line of /etc/ssh/sshd_config, ${RELOAD}. \`sshd -T\` prints what is in force. Node in FIPS mode has fewer.`,
  AUTHENTICATION_FAILED: `Passwords come from connection.password, a key from connection.privateKey. ${SSHD_LOG}: PermitRootLogin, AllowUsers, authorized_keys.`,
  FACTOR_MISSING:
    "Give both: a password by connection.password, a key by connection.privateKey or connection.agentSocketPath.",
  TOO_MANY_FAILURES:
    "`ssh-add -l` lists the keys of the agent. Choose one by connection.privateKey, or in ~/.ssh/config by IdentityFile and `IdentitiesOnly yes`.",
  AGENT_FAILED:
    "`ssh-add -l` in this shell must list the key, and `ssh-add -T <key>.pub` shows whether the agent signs with it.",
  PASSWORD_EXPIRED: "`chage -l <user>` on the host shows when the next one expires.",
  PROMPT_UNANSWERED:
    "A key by connection.privateKey needs no prompt. Else let PAM or AuthenticationMethods ask this user for less.",
  HOST_KEY_UNKNOWN: "No credential was sent.",
  HOST_KEY_CHANGED: "No credential was sent.",
  HOST_KEY_REVOKED: "No credential was sent.",
  HOST_KEY_MISMATCH: "No credential was sent.",
  CONNECTION_LOST: `Try again. If it stays, ${SSHD_LOG}.`,
  COMMAND_TIMED_OUT:
    "`uptime`, `df` and `dmesg` on the host show its load, full disks and storage that hangs.",
  CHANNEL_REFUSED: `Set \`MaxSessions 10\` in /etc/ssh/sshd_config, ${RELOAD}.`,
  NO_SHELL:
    "`getent passwd <user>` shows the shell, `chage -l <user>` what has expired, `sshd -T` a ForceCommand. `passwd` sets a new password in place of an expired one.",
  SFTP_REFUSED: "Check the line `Subsystem sftp` in /etc/ssh/sshd_config.",
};

/** Explains why a host could not be looked at. */
export function explainLogin(error: unknown, target: SshTarget): Check {
  const detail = errorInFlags(error);
  const check = { name: "login", status: "failed", detail } as const;
  if (!(error instanceof SshError)) return { ...check, advice: NOTHING_ELSE };
  const { code } = error;
  const hop = hopAt(error.host, target) ?? target;
  const isJump = hop !== target;
  const advice = inFlags(isJump ? ADVICE[code].replaceAll("connection.", "connection.proxy.") : ADVICE[code]);
  const byHand = isRefusedLogin(error) ? ` By hand: \`${sshCommand(hop)}\`.` : "";
  return {
    ...check,
    name: isJump ? "jump host" : "login",
    code,
    advice: `${advice}${byHand} ${NOTHING_ELSE}`,
  };
}

const NOTHING_ELSE = "The other checks were skipped.";

/** The host itself, or one of its jump hosts. */
function hopAt(address: string, target: SshTarget): SshTarget | undefined {
  if (addressOf(target) === address) return target;
  return target.proxy && hopAt(address, target.proxy);
}

function sshCommand({ user, host, port }: SshTarget): string {
  return `ssh -v -p ${port} ${user}@${host}`;
}
