import { utils } from "ssh2";
import { beforeEach, expect, test } from "vitest";
import {
  checkConnection,
  checkHostConnections,
  configure,
  effectiveConnection,
} from "../../../provider/lifecycle/connection";
import { Problems } from "../../../provider/lifecycle/problems";
import { inSession } from "../../../provider/lifecycle/session";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKw6VjeqHPBBnGoNrCVDJ0Q5w7RE7yI3Mlc0dMk3U5dH";
const connection = { host: "xen1.example.net", password: "s3cret" };

function configured(values: Record<string, unknown>): void {
  configure({ get: (key) => values[key] as string, require: (key) => values[key] as string });
}

beforeEach(() => {
  configured({});
});

function reasons(given: unknown): string[] {
  const problems = new Problems();
  checkConnection(given, problems);
  return problems.failures.map(({ reason }) => reason);
}

test.each<[string, unknown, RegExp]>([
  ["no host", { password: "p" }, /^connection\.host: is missing; set it, or `pulumi config set xen:host/],
  [
    "a URL as host",
    { ...connection, host: "ssh://x" },
    /^connection\.host: must be a name or an IP.*connection\.port/,
  ],
  ["a port in the host", { ...connection, host: "10.0.0.1:22" }, /with connection\.port/],
  ["a port behind brackets", { ...connection, host: "[::1]:22" }, /with connection\.port/],
  ["a user in the host", { ...connection, host: "root@x" }, /with connection\.user/],
  ["a list with a bad host key", { ...connection, hostKey: ["MD5:aa"] }, /^connection\.hostKey: /],
  ["a bad port", { ...connection, port: 0 }, /^connection\.port: must be a whole number from 1/],
  ["a port as text", { ...connection, port: "22" }, /^connection\.port: must be a whole number/],
  ["a bad host key", { ...connection, hostKey: "MD5:aa" }, /^connection\.hostKey: /],
  ["an unknown field", { ...connection, pasword: "hunter2" }, /^connection\.pasword: is not a field/],
  ["a connection that is a text", "xen1", /^connection: must be an object/],
  ["a bad private key", { host: "h", privateKey: "hunter2" }, /^connection\.privateKey: cannot be used/],
  ["a jump host without a host", { ...connection, proxy: { password: "x" } }, /^connection\.proxy\.host/],
  [
    "an unknown field of it",
    { ...connection, proxy: { host: "j", password: "x", x: 1 } },
    /^connection\.proxy\.x/,
  ],
])("refuses %s", (_title, given, reason) => {
  const found = reasons(given);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(reason);
  expect(found[0]).not.toMatch(/s3cret|hunter2/);
});

test("an encrypted private key needs its password, and the right one", () => {
  const { private: privateKey } = utils.generateKeyPairSync("ed25519", {
    passphrase: "right",
    cipher: "aes256-ctr",
    rounds: 4,
  });
  const check = (privateKeyPassword?: string) => reasons({ host: "h", privateKey, privateKeyPassword });
  expect(check("right")).toEqual([]);
  expect(check()).toEqual([expect.stringMatching(/it is encrypted; set privateKeyPassword/)]);
  expect(check("wrong")).toEqual([expect.stringMatching(/privateKeyPassword does not open it/)]);
});

test("fields that the program leaves out come from the stack's configuration", () => {
  configured({ "xen:host": "xen1.example.net", "xen:password": "s3cret", "xen:port": "2222" });
  expect(reasons(undefined)).toEqual([]);
  configured({ "xen:host": "xen1.example.net", "xen:password": "s3cret", "xen:port": "many" });
  expect(reasons(undefined)).toEqual([
    "xen:port (stack configuration): must be a whole number from 1 to 65535",
  ]);
});

test.each<[string, Record<string, string>, unknown, string]>([
  ["a key", { privateKey: "hunter2" }, { host: "h" }, "xen:privateKey (stack configuration): cannot be used"],
  [
    "a field of a jump host",
    { proxy: '{"host": "j", "password": "x", "port": 0}' },
    connection,
    "xen:proxy.port (stack configuration): must be a whole number",
  ],
  [
    "an unknown field of a jump host",
    { proxy: '{"host": "j", "password": "x", "prot": 1}' },
    connection,
    "xen:proxy.prot (stack configuration): is not a field",
  ],
])("names the setting that holds %s", (_title, settings, given, reason) => {
  configured(Object.fromEntries(Object.entries(settings).map(([name, value]) => [`xen:${name}`, value])));
  expect(reasons(given)).toEqual([expect.stringContaining(reason)]);
});

test("says how to set the user beside the host that has one in it", () => {
  const at = (given: unknown) => reasons(given).map((reason) => /set the user with (.*)$/.exec(reason)?.[1]);
  expect(at({ ...connection, proxy: { host: "root@j", password: "x" } })).toEqual(["connection.proxy.user"]);
  configured({ "xen:host": "root@xen1" });
  expect(at({ password: "s3cret" })).toEqual(["xen:user (stack configuration)"]);
  const problems = new Problems();
  checkHostConnections({ xen2: { host: "root@xen2" } }, problems);
  expect(problems.failures).toMatchObject([
    {
      reason: expect.stringMatching(
        /^hostConnections\.xen2\.host: .* with hostConnections\.xen2\.user$/,
      ) as string,
    },
  ]);
});

test("settings of an explicit provider are its properties", () => {
  const inProvider = (settings: Record<string, unknown>, given: unknown) => {
    const bySetting = new Map(Object.entries(settings).map(([name, value]) => [`xen:${name}`, value]));
    return inSession({ configuration: bySetting, provider: "xen2" }, () => reasons(given));
  };
  expect(inProvider({ host: "h", port: 0 }, { password: "x" })).toEqual([
    "port of the provider xen2: must be a whole number from 1 to 65535",
  ]);
  expect(inProvider({}, { password: "x" })).toEqual([
    "connection.host: is missing; set it, or host of the provider xen2",
  ]);
});

test.each([
  ["xen:port", "22", 22],
  ["xen:dialErrorLimit", "-1", -1],
  ["xen:perDialTimeout", "5", 5],
  ["xen:port", "22 ", "22 "],
  ["xen:port", "x22", "x22"],
  ["xen:user", "22", "22"],
  ["xen:hostKey", KEY, KEY],
])("%s: %j of the configuration is %j", (key, text, value) => {
  configured({ [key]: text });
  const effective: Record<string, unknown> = { ...effectiveConnection(connection) };
  expect(effective[key.replace("xen:", "")]).toBe(value);
});

test.each([
  ["port", 1, true],
  ["port", 65_535, true],
  ["port", 65_536, false],
  ["port", 1.5, false],
  ["dialErrorLimit", -1, true],
  ["dialErrorLimit", -2, false],
  ["user", "", false],
  ["user", "two words", false],
  ["password", "", false],
  ["password", 7, false],
  ["hostKey", [], false],
  ["hostKey", [KEY, ""], false],
  ["hostKey", 7, false],
])("%s: %j is accepted: %j", (field, value, isAccepted) => {
  expect(reasons({ ...connection, [field]: value })).toEqual(
    isAccepted ? [] : [expect.stringMatching(new RegExp(`^connection\\.${field}: .{10}`))],
  );
});

test.each<[string, string, unknown]>([
  ["a JSON array", `["${KEY}", "SHA256:${"A".repeat(43)}"]`, 2],
  ["lines", `${KEY}\n# comment\n \nxen2 ${KEY}\n`, 2],
  ["a JSON array behind blanks", ` ["${KEY}"]`, 1],
  ["one key", KEY, 1],
])("host keys may be configured as %s", (_title, text, count) => {
  configured({ "xen:hostKey": text });
  expect(reasons(connection)).toEqual([]);
  const { hostKey } = effectiveConnection(connection);
  expect(Array.isArray(hostKey) ? hostKey.length : 1).toBe(count);
});

test("a bad key among those that are configured is named", () => {
  for (const text of [`["MD5:aa"]`, `${KEY}\nMD5:aa`, "[not JSON"]) {
    configured({ "xen:hostKey": text });
    expect(reasons(connection)).toEqual([expect.stringMatching(/^xen:hostKey \(stack configuration\): /)]);
  }
});

test("sshConfig is true, false, or the path of a file", () => {
  expect(reasons({ ...connection, sshConfig: false })).toEqual([]);
  expect(reasons({ ...connection, sshConfig: __filename })).toEqual([]);
  expect(reasons({ ...connection, sshConfig: 1 })).toEqual([
    expect.stringMatching(/^connection\.sshConfig: must be true, false, or the path of a file/),
  ]);
  expect(reasons({ ...connection, sshConfig: "~/.ssh/config" })).toEqual([
    expect.stringMatching(/there is no file .*: use os\.homedir\(\)/),
  ]);
  configured({ "xen:sshConfig": "false" });
  expect(effectiveConnection(connection).sshConfig).toBe(false);
});

test("a jump host may be configured as JSON", () => {
  configured({ "xen:proxy": `{"host": "jump.example.net", "password": "p"}` });
  expect(reasons(connection)).toEqual([]);
  configured({ "xen:proxy": "jump.example.net" });
  expect(reasons(connection)).toEqual([
    expect.stringMatching(/^xen:proxy \(stack configuration\): must be an object/),
  ]);
});

test("values that are not known yet are left for the up", () => {
  expect(reasons(UNKNOWN)).toEqual([]);
  expect(reasons({ host: UNKNOWN, password: UNKNOWN, proxy: UNKNOWN })).toEqual([]);
});
