import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import { Problems } from "../../../provider/lifecycle/problems";
import { checkLogin, toSshTarget } from "../../../provider/lifecycle/ssh-target";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "home-"));
  mkdirSync(join(home, ".ssh"));
  vi.stubEnv("HOME", home);
  vi.stubEnv("SSH_AUTH_SOCK", undefined);
  configure({ get: () => undefined, require: () => "" });
});
afterEach(() => vi.unstubAllEnvs());

function configuration(text: string): void {
  writeFileSync(join(home, ".ssh", "config"), text);
}

async function reasons(given: unknown): Promise<string[]> {
  const problems = new Problems();
  await checkLogin(given, problems);
  return problems.failures.map(({ reason }) => reason);
}

const ALIAS = `Host xen1
  HostName 10.0.0.1
  Port 2222
  User admin
  IdentityFile /keys/one
  IdentityAgent /run/agent
  ProxyJump jump
Host jump
  Port 23
`;

test("what the program leaves out comes from ~/.ssh/config", async () => {
  configuration(ALIAS);
  expect(await toSshTarget({ host: "xen1" })).toMatchObject({
    host: "10.0.0.1",
    port: 2222,
    user: "admin",
    identityFiles: ["/keys/one"],
    agentSocketPath: "/run/agent",
    proxy: { host: "jump", port: 23, user: userInfo().username },
  });
});

test("what the program says goes before it", async () => {
  configuration(ALIAS);
  const given = {
    host: "xen1",
    port: 1,
    user: "root",
    privateKey: "KEY",
    agentSocketPath: "/mine",
    proxy: { host: "other" },
  };
  expect(await toSshTarget(given)).toMatchObject({
    host: "10.0.0.1",
    port: 1,
    user: "root",
    privateKey: "KEY",
    identityFiles: undefined,
    agentSocketPath: "/mine",
    proxy: { host: "other", port: 22, user: "root" },
  });
});

test("sshConfig: false reads nothing, for jump hosts neither", async () => {
  configuration(`${ALIAS}Host other\n  HostName 10.0.0.2\n`);
  const target = await toSshTarget({ host: "xen1", sshConfig: false, proxy: { host: "other" } });
  expect(target).toMatchObject({ host: "xen1", port: 22, user: "root", proxy: { host: "other" } });
  expect(target.identityFiles).toBeUndefined();
});

test("sshConfig as a path reads that file alone", async () => {
  configuration(ALIAS);
  const file = join(home, "other");
  writeFileSync(file, "Host xen1\n  Port 99\n");
  expect(await toSshTarget({ host: "xen1", sshConfig: file })).toMatchObject({
    host: "xen1",
    port: 99,
    proxy: undefined,
  });
});

test("neither program nor configuration: port 22, root, the agent of the environment", async () => {
  vi.stubEnv("SSH_AUTH_SOCK", "/run/mine");
  expect(await toSshTarget({ host: "xen9" })).toMatchObject({
    host: "xen9",
    port: 22,
    user: "root",
    agentSocketPath: "/run/mine",
  });
  configuration("Host xen9\n  IdentityAgent none\n");
  expect((await toSshTarget({ host: "xen9", port: 23 })).agentSocketPath).toBeUndefined();
});

test("several hops are taken in their order, the last by the one before it", async () => {
  configuration("Host xen1\n  ProxyJump a,u@b:24\nHost b\n  ProxyJump c\n  HostName 10.0.0.9\n");
  expect(await toSshTarget({ host: "xen1" })).toMatchObject({
    proxy: { host: "10.0.0.9", port: 24, user: "u", proxy: { host: "a", proxy: undefined } },
  });
});

test("ProxyJump that leads in a circle is refused", async () => {
  configuration("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n");
  await expect(toSshTarget({ host: "a" })).rejects.toMatchObject({ code: "SSH_CONFIG_REFUSED" });
  await expect(toSshTarget({ host: "a" })).rejects.toThrow(/circle/);
});

test("without an ssh only a configuration that is asked for is missed", async () => {
  vi.stubEnv("PATH", home);
  expect(await toSshTarget({ host: "no-ssh" })).toMatchObject({ host: "no-ssh", port: 22, user: "root" });
  await expect(toSshTarget({ host: "no-ssh", sshConfig: true })).rejects.toThrow(/no `ssh` can be run/);
});

test("without an ssh, the setting that asks for its configuration is named, once", async () => {
  vi.stubEnv("PATH", home);
  const login = { host: "no-ssh", password: "p", sshConfig: true };
  const reason =
    /^connection\.sshConfig: OpenSSH's configuration cannot be read, because no `ssh` can be run/;
  expect(await reasons(login)).toEqual([expect.stringMatching(reason)]);
  expect(await reasons({ ...login, proxy: { host: "j", password: "p" } })).toEqual([
    expect.stringMatching(reason),
  ]);
  const own = { host: "j", password: "p", sshConfig: true };
  expect(await reasons({ ...login, sshConfig: false, proxy: own })).toEqual([
    expect.stringMatching(/^connection\.proxy\.sshConfig: OpenSSH's configuration cannot be read/),
  ]);
  configure({ get: (key) => ({ "xen:sshConfig": "true" })[key], require: () => "" });
  expect(await reasons({ host: "no-ssh", password: "p" })).toEqual([
    expect.stringMatching(/^xen:sshConfig \(stack configuration\): OpenSSH's configuration cannot be read/),
  ]);
});

test("a connection without any way to log in is refused, one with a key file is not", async () => {
  const none = /^connection: has no way to log in; set password, privateKey or agentSocketPath/;
  expect(await reasons({ host: "h" })).toEqual([expect.stringMatching(none)]);
  expect(await reasons({ host: "h", sshConfig: false })).toEqual([expect.stringMatching(none)]);
  expect(await reasons({ host: "h", password: "p", proxy: { host: "j" } })).toEqual([
    expect.stringMatching(/^connection\.proxy: has no way to log in/),
  ]);
  writeFileSync(join(home, ".ssh", "id_ed25519"), "KEY");
  expect(await reasons({ host: "h" })).toEqual([]);
});

test("a configuration that ssh refuses is told at preview", async () => {
  configuration("Colour green\n");
  expect(await reasons({ host: "broken", password: "p" })).toEqual([
    expect.stringMatching(/^connection\.sshConfig: OpenSSH's configuration cannot be used.*Colour|colour/),
  ]);
  expect(await reasons({ host: "broken", password: "p", sshConfig: false })).toEqual([]);
});

test("values that are not known yet are left for the up", async () => {
  expect(await reasons(UNKNOWN)).toEqual([]);
  expect(await reasons({ host: UNKNOWN })).toEqual([]);
  expect(await reasons({ host: "h", user: UNKNOWN, proxy: UNKNOWN })).toEqual([]);
});

test("a host with a ProxyCommand is refused at preview, unless the program says how to reach it", async () => {
  configuration("Host xen1\n ProxyCommand nc %h %p secret\n");
  const login = { host: "xen1", password: "x" };
  const [reason, ...others] = await reasons(login);
  expect(reason).toMatch(/^connection\.sshConfig: .*ProxyCommand for xen1.*Set ProxyJump/);
  expect(reason).not.toContain("secret");
  expect(others).toEqual([]);
  expect(await reasons({ ...login, proxy: { host: "jump", password: "x" } })).toEqual([]);
  expect(await reasons({ ...login, sshConfig: false })).toEqual([]);
});
