import { fingerprint } from "../ssh/host-key";
import { MAX_CHANNELS } from "../ssh/link";
import type { HostFacts, Place, Toolstack } from "./host-facts";
import type { MemberFacts, PoolFacts } from "./pool-facts";
import { sizeText } from "../text/units";

/** One thing that `doctor` checked. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warning" | "failed";
  /** Of a login that failed: an `SshErrorCode`. */
  readonly code?: string;
  /** What was found, and what will go wrong because of it. */
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** A disc takes about this many commands, so a slow round trip costs seconds. */
const SLOW_ROUND_TRIP_MS = 200;
const COMMANDS_OF_A_CREATE = 15;

/** Says what would go wrong on a host. Pure. */
export function diagnose(facts: HostFacts): Check[] {
  return [
    login(facts),
    hostKey(facts),
    cipher(facts),
    roundTrip(facts),
    sessions(facts),
    startUpFiles(facts),
    xe(facts),
    inventory(facts),
    xeSettings(facts),
    ...facts.places.map(room),
    ...toolstack(facts),
  ];
}

/** Says what would go wrong with a disc of the whole pool, and which discs are lost. Pure. */
export function diagnosePool({ members, lacking, discs, corpses }: PoolFacts): Check[] {
  return [
    ...members.flatMap(member),
    ...[...lacking].flatMap(([name, count]) => (discs === 0 ? [] : [poolDiscs(name, count, discs)])),
    lostDiscs(corpses),
  ];
}

const ok = (name: string, detail: string): Check => ({ name, status: "ok", detail });
const warning = (name: string, detail: string, advice: string): Check => ({
  name,
  status: "warning",
  detail,
  advice,
});
const failed = (name: string, detail: string, advice: string): Check => ({
  name,
  status: "failed",
  detail,
  advice,
});

const login = ({ user, address }: HostFacts) => ok("login", `${user}@${address}`);

function hostKey({ hostKey: key, isHostKeyChecked }: HostFacts): Check {
  const [type = "", base64 = ""] = key.split(" ");
  const name = `${type} ${fingerprint(Buffer.from(base64, "base64"))}`;
  return isHostKeyChecked
    ? ok("host key", name)
    : warning(
        "host key",
        `It is not checked: anybody between you and the host gets the credentials. It is ${name} now.`,
        `Compare it with the host's console, then give --host-key "${key}".`,
      );
}

function cipher({ cipher: name }: HostFacts): Check {
  return name.includes("gcm")
    ? ok("cipher", name)
    : warning(
        "cipher",
        `${name}: uploads take longer than with AES-GCM.`,
        "Allow aes128-gcm@openssh.com in Ciphers of the host's sshd_config.",
      );
}

function roundTrip({ roundTripMs }: HostFacts): Check {
  const detail = `${Math.round(roundTripMs)} ms for a command`;
  if (roundTripMs < SLOW_ROUND_TRIP_MS) return ok("round trip", detail);
  const seconds = Math.round((roundTripMs * COMMANDS_OF_A_CREATE) / 1_000);
  return warning(
    "round trip",
    `${detail}: each disc takes about ${seconds} s for that alone.`,
    "Run pulumi nearer to the host, or check the host's startup files and load.",
  );
}

function sessions({ commandsAtOnce }: HostFacts): Check {
  const detail = `${commandsAtOnce} ${commandsAtOnce === 1 ? "command" : "commands"} at once`;
  return commandsAtOnce >= MAX_CHANNELS
    ? ok("sessions", detail)
    : warning(
        "sessions",
        `${detail}: several discs, and large images, take longer than with ${MAX_CHANNELS}.`,
        "Set `MaxSessions 10` in /etc/ssh/sshd_config on the host, then `systemctl reload sshd`.",
      );
}

function startUpFiles({ noise, isInputWhole }: HostFacts): Check {
  const name = "start-up files";
  if (!isInputWhole)
    return failed(
      name,
      "root's startup files read stdin, so images arrive incomplete.",
      "Make root's .bashrc do so for terminals only: `[ -t 0 ] || return` at its beginning.",
    );
  return noise === ""
    ? ok(name, "root's shell prints nothing when it starts")
    : warning(
        name,
        `Those of root's shell print ${sizeText(Buffer.byteLength(noise))}: SFTP does not work, other commands do.`,
        "Make root's .bashrc print for terminals only: `[ -t 1 ] || return` at its beginning.",
      );
}

function xe({ hasXe }: HostFacts): Check {
  return hasXe
    ? ok("xe", "is on the PATH")
    : failed(
        "xe",
        "Not found: this is not a XenServer or XCP-ng host.",
        "Give the host itself (dom0), not a VM on it.",
      );
}

function inventory({ hostUuid, product }: HostFacts): Check {
  return hostUuid
    ? ok("inventory", `${product}, host ${hostUuid}`)
    : failed(
        "inventory",
        "/etc/xensource-inventory has no INSTALLATION_UUID: no disc can be made.",
        "Give the host itself (dom0), not a VM on it.",
      );
}

function xeSettings({ isXeSentElsewhere }: HostFacts): Check {
  return isXeSentElsewhere
    ? warning(
        "~/.xe",
        "It names a server: xe talks to that one, and not to this host's own toolstack.",
        "Take the line server=… out of root's ~/.xe on the host.",
      )
    : ok("~/.xe", "points to no other server");
}

function room({ srMountPath: name, fileSystem, availableBytes, obstacle, shortage }: Place): Check {
  if (obstacle)
    return failed(
      name,
      `It ${obstacle}.`,
      "Set srMountPath to a folder on a file system that can be written.",
    );
  const free = `${availableBytes === undefined ? "an unknown size" : sizeText(availableBytes)} free (${fileSystem})`;
  if (shortage) return failed(name, `${free}: no disc can be made.`, shortage);
  return fileSystem === "tmpfs" || fileSystem === "ramfs"
    ? warning(
        name,
        `${free}: this is memory of dom0, and every reboot makes corpses of the discs there.`,
        "Set srMountPath to a folder on disk, /var/opt/xen-iso for instance.",
      )
    : ok(name, free);
}

function toolstack({ toolstack: answer, hostUuid }: HostFacts): Check[] {
  if ("problem" in answer)
    return [failed("toolstack", answer.problem, "Nothing can be made or removed until it answers.")];
  const self = answer.hosts.find((each) => each["uuid"] === hostUuid);
  if (!self)
    return [
      failed(
        "toolstack",
        "It does not know this host: every disc would be made on another one, and fail.",
        "Check ~/.xe and INSTALLATION_UUID in /etc/xensource-inventory.",
      ),
    ];
  return [ok("toolstack", "answers"), pool(answer, hostUuid), highAvailability(answer), ...sshService(self)];
}

function pool({ hosts, pool: record }: Toolstack, hostUuid: string): Check {
  if (hosts.length === 1) return ok("pool", "a single host");
  const coordinator =
    hosts.find((each) => each["uuid"] === record?.["master"])?.["name-label"] ?? "one not known";
  return record?.["master"] === hostUuid
    ? ok("pool", `coordinator of ${hosts.length} hosts`)
    : ok("pool", `one of ${hosts.length} hosts; the coordinator is ${coordinator}, and has to be up`);
}

function highAvailability({ pool: record }: Toolstack): Check {
  return record?.["ha-enabled"] === "true"
    ? warning(
        "HA",
        "It is on: a disc of one host is refused to a VM that HA protects, and one whose folder is gone keeps the host from being enabled after a reboot.",
        "Keep discs on disk (srMountPath), make those for protected VMs with poolWide, destroy them after the first boot, and `sweep --lost` before a reboot.",
      )
    : ok("HA", "is off");
}

/** Problems of another host are warnings: a disc for the named host alone works without it. */
function member({ uuid, name, isEnabled, facts }: MemberFacts): Check[] {
  const on = (check: Check): Check => ({
    ...check,
    name: `${name}: ${check.name}`,
    status: check.status === "ok" ? "ok" : "warning",
  });
  if ("problem" in facts) {
    const advice =
      `A pool-wide disc needs every host, or skipOfflineHosts. Start it if it is down; if it is gone for good, \`xe host-forget uuid=${uuid}\`. ` +
      `If it is reached in another way than the named host, set hostConnections: { "${name}": { … } } for the disc.`;
    return [on(warning("login", facts.problem, advice))];
  }
  const state = isEnabled
    ? ok("state", "enabled")
    : warning(
        "state",
        "It is disabled: a pool-wide disc is refused, or not made there.",
        `Run \`xe host-enable uuid=${uuid}\`, or set skipOfflineHosts for the disc.`,
      );
  const checks = [login(facts), state, startUpFiles(facts), inventory(facts), ...facts.places.map(room)];
  return checks.map(on);
}

function poolDiscs(host: string, lacking: number, all: number): Check {
  const name = `${host}: pool-wide discs`;
  if (lacking === 0) return ok(name, `has ${all === 1 ? "the one there is" : `all ${all}`}`);
  return warning(
    name,
    `It lacks ${lacking} of ${all}: VMs that have them in a drive do not start there.`,
    "Run `pulumi up --refresh` for their stacks: it brings the images there, and the discs stay the same.",
  );
}

function lostDiscs(corpses: readonly string[]): Check {
  if (corpses.length === 0) return ok("discs", "none is lost");
  return warning(
    "discs",
    `The SR is not attached, or its image is gone, of ${corpses.join(", ")}. An upgrade of the host from its installation ISO removes /var/opt.`,
    "Run `pulumi up --refresh` for their stacks. `pulumi-xen-iso list` shows them, and `sweep --lost` removes those that no stack has.",
  );
}

/** Hosts before xapi 25.21 have no such service. */
function sshService(self: Readonly<Record<string, string>>): Check[] {
  const name = "SSH service";
  if (self["ssh-auto-mode"] === "true")
    return [
      warning(
        name,
        "It is in auto mode: once the toolstack runs, it is switched off, and runs cannot log in.",
        "Switch it on for good with `xe host-enable-ssh`, in xsconsole or XenCenter.",
      ),
    ];
  const seconds = Number(self["ssh-enabled-timeout"] ?? 0);
  if (seconds > 0)
    return [
      warning(
        name,
        `It is switched off at ${self["ssh-expiry"] ?? "the end of its time limit"}.`,
        `\`xe host-param-set uuid=${self["uuid"] ?? ""} ssh-enabled-timeout=0\` takes the limit away.`,
      ),
    ];
  return [ok(name, "stays on")];
}
