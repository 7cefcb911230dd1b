import { expect, test } from "vitest";
import { diagnose, diagnosePool } from "../../../provider/cli/diagnosis";
import { toText } from "../../../provider/cli/doctor";
import type { HostFacts } from "../../../provider/cli/host-facts";

const GIB = 1024 ** 3;

const place = {
  srMountPath: "/var/opt/xen-iso",
  fileSystem: "ext2/ext3",
  availableBytes: 14 * GIB,
  obstacle: undefined,
  shortage: undefined,
};

const self = { uuid: "host-1", "name-label": "xen1" };
const pool = { uuid: "pool-1", master: "host-1", "ha-enabled": "false" };

const healthy: HostFacts = {
  address: "xen1:22",
  user: "root",
  hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJk4VlZxPq0vJ3oQb3Gm4H1rRzE0d3T1Tq2mWq3yJx8a",
  isHostKeyChecked: true,
  cipher: "aes128-gcm@openssh.com",
  roundTripMs: 3,
  commandsAtOnce: 9,
  noise: "",
  isInputWhole: true,
  hasXe: true,
  hostUuid: "host-1",
  product: "XCP-ng 8.3.0",
  isXeSentElsewhere: false,
  places: [place],
  toolstack: { hosts: [self], pool },
};

test("a healthy host has nothing to be done about", () => {
  const checks = diagnose(healthy);
  expect(checks.filter(({ status, advice }) => status !== "ok" || advice !== undefined)).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual([
    "login",
    "host key",
    "cipher",
    "round trip",
    "sessions",
    "start-up files",
    "xe",
    "inventory",
    "~/.xe",
    "/var/opt/xen-iso",
    "toolstack",
    "pool",
    "HA",
    "SSH service",
  ]);
});

const twoHosts = [self, { uuid: "host-2", "name-label": "xen2" }];

test.each<[string, Partial<HostFacts>, string, "warning" | "failed", RegExp]>([
  [
    "no host key check",
    { isHostKeyChecked: false },
    "host key",
    "warning",
    /not checked.*--host-key "ssh-ed25519 A/,
  ],
  ["another cipher", { cipher: "aes256-ctr" }, "cipher", "warning", /longer.*aes128-gcm@openssh\.com/],
  ["a long way", { roundTripMs: 400 }, "round trip", "warning", /400 ms.*about 6 s/],
  ["few sessions", { commandsAtOnce: 1 }, "sessions", "warning", /1 command at once.*`MaxSessions 10`/],
  ["start-up files that print", { noise: "hello\n" }, "start-up files", "warning", /print 6 B.*SFTP/],
  [
    "start-up files that read",
    { isInputWhole: false },
    "start-up files",
    "failed",
    /images arrive incomplete/,
  ],
  ["no xe", { hasXe: false, toolstack: { problem: "none" } }, "xe", "failed", /not a XenServer/],
  ["no inventory", { hostUuid: "" }, "inventory", "failed", /no INSTALLATION_UUID/],
  ["a server in ~/.xe", { isXeSentElsewhere: true }, "~/.xe", "warning", /talks to that one/],
  [
    "a mount path in memory",
    { places: [{ ...place, fileSystem: "tmpfs", srMountPath: "/run/x" }] },
    "/run/x",
    "warning",
    /corpses/,
  ],
  [
    "a full disk",
    { places: [{ ...place, shortage: "It has no room." }] },
    "/var/opt/xen-iso",
    "failed",
    /no disc can be made.*has no room/,
  ],
  [
    "a file as mount path",
    { places: [{ ...place, obstacle: "is no folder" }] },
    "/var/opt/xen-iso",
    "failed",
    /It is no folder/,
  ],
  ["a toolstack that is down", { toolstack: { problem: "xe failed" } }, "toolstack", "failed", /xe failed/],
  [
    "a toolstack of another pool",
    { toolstack: { hosts: [{ uuid: "host-9" }], pool } },
    "toolstack",
    "failed",
    /does not know this host/,
  ],
  [
    "HA",
    { toolstack: { hosts: [self], pool: { ...pool, "ha-enabled": "true" } } },
    "HA",
    "warning",
    /keeps the host from being enabled after a reboot/,
  ],
  [
    "SSH in auto mode",
    { toolstack: { hosts: [{ ...self, "ssh-auto-mode": "true" }], pool } },
    "SSH service",
    "warning",
    /xe host-enable-ssh/,
  ],
  [
    "SSH with a time limit",
    {
      toolstack: {
        hosts: [
          {
            ...self,
            "ssh-auto-mode": "false",
            "ssh-enabled-timeout": "600",
            "ssh-expiry": "20261124T12:00:00Z",
          },
        ],
        pool,
      },
    },
    "SSH service",
    "warning",
    /switched off at 20261124T12:00:00Z.*uuid=host-1 ssh-enabled-timeout=0/,
  ],
])("%s is found", (_title, facts, name, status, words) => {
  const check = diagnose({ ...healthy, ...facts }).find((each) => each.name === name);
  expect(check).toMatchObject({ status, advice: expect.any(String) });
  expect(`${check?.detail} ${check?.advice}`).toMatch(words);
});

test.each([
  ["host-1", "coordinator of 2 hosts"],
  ["host-2", "one of 2 hosts; the coordinator is xen2, and has to be up"],
])("the role in a pool is told (coordinator %s)", (master, detail) => {
  const checks = diagnose({ ...healthy, toolstack: { hosts: twoHosts, pool: { ...pool, master } } });
  expect(checks.find(({ name }) => name === "pool")).toEqual({ name: "pool", status: "ok", detail });
});

test("advice stands below what it is about", () => {
  const ok = { name: "xe", status: "ok", detail: "is there" } as const;
  const bad = { name: "HA", status: "warning", detail: "is on", advice: "Mind it." } as const;
  expect(toText([ok, bad])).toBe("ok       xe  is there\nwarning  HA  is on\n             Mind it.");
});

const other = { uuid: "host-2", name: "xen2", address: "192.0.2.2", isEnabled: true, facts: healthy };
const whole = { members: [other], lacking: new Map([["xen1", 0]]), discs: 0, corpses: [] };

test("of a pool, each other host is named with its login, state, room and discs", () => {
  const checks = diagnosePool({ ...whole, lacking: new Map([["xen2", 0]]), discs: 2 });
  expect(checks.filter(({ status }) => status !== "ok")).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual([
    "xen2: login",
    "xen2: state",
    "xen2: start-up files",
    "xen2: inventory",
    "xen2: /var/opt/xen-iso",
    "xen2: pool-wide discs",
    "discs",
  ]);
  // Without such discs there is nothing to say of them.
  expect(diagnosePool(whole)).toHaveLength(6);
});

test.each<[string, Parameters<typeof diagnosePool>[0], string, RegExp]>([
  [
    "another password",
    { ...whole, members: [{ ...other, facts: { problem: "xen2:22 refused to log in root." } }] },
    "xen2: login",
    /refused to log in root.*hostConnections: \{ "xen2": \{ … \} \}/,
  ],
  ["a disabled host", { ...whole, members: [{ ...other, isEnabled: false }] }, "xen2: state", /host-enable/],
  [
    "a host without room",
    { ...whole, members: [{ ...other, facts: { ...healthy, places: [{ ...place, shortage: "Full." }] } }] },
    "xen2: /var/opt/xen-iso",
    /no disc can be made/,
  ],
  [
    "a host without a disc",
    { ...whole, lacking: new Map([["xen3", 1]]), discs: 2 },
    "xen3: pool-wide discs",
    /lacks 1 of 2.*pulumi up --refresh/,
  ],
  [
    "a lost disc",
    { ...whole, corpses: ["sr-1", "sr-2"] },
    "discs",
    /image is gone, of sr-1, sr-2\. .*`pulumi up --refresh`.*`sweep --lost`/,
  ],
])("of a pool, %s is a warning: a disc of the named host can be made", (_title, facts, name, words) => {
  const bad = diagnosePool(facts).filter(({ status }) => status !== "ok");
  expect(bad.map((check) => [check.name, check.status])).toEqual([[name, "warning"]]);
  expect(`${bad[0]?.detail} ${bad[0]?.advice}`).toMatch(words);
});
