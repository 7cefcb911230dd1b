import { Command } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  addConnectionOptions,
  assertUsable,
  inFlags,
  readConnection,
} from "../../../provider/cli/connection-options";
import { configure } from "../../../provider/lifecycle/connection";
import { writeTemporary } from "../image";

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith("XEN_")) vi.stubEnv(name, undefined);
  vi.stubEnv("SSH_AUTH_SOCK", undefined);
  configure({ get: () => undefined, require: () => "" });
});
afterEach(() => vi.unstubAllEnvs());

function read(...args: string[]) {
  const command = addConnectionOptions(new Command()).exitOverride();
  return readConnection(command.parse(args, { from: "user" }).opts(), process.env);
}

test("flags, variables and a key file make a connection", () => {
  vi.stubEnv("XEN_USER", "admin");
  vi.stubEnv("XEN_PASSWORD", "secret");
  vi.stubEnv("XEN_PORT", "22");
  const key = writeTemporary(Buffer.from("PEM"), "id");
  expect(
    read("--host", "xen1", "--port", "2222", "--private-key-file", key, "--per-dial-timeout", "5"),
  ).toEqual({
    host: "xen1",
    port: 2222,
    user: "admin",
    password: "secret",
    privateKey: "PEM",
    dialErrorLimit: 3,
    perDialTimeout: 5,
  });
});

test("a jump host has the same options, behind proxy-", () => {
  vi.stubEnv("XEN_PROXY_PASSWORD", "secret");
  expect(read("--host", "xen1", "--proxy-host", "jump", "--proxy-host-key", "ignore")).toMatchObject({
    host: "xen1",
    proxy: { host: "jump", hostKey: "ignore", password: "secret" },
  });
});

test.each<[string, unknown]>([
  ["false", false],
  ["true", true],
  ["./ssh_config", "./ssh_config"],
])("--ssh-config %s", (text, sshConfig) => {
  expect(read("--host", "xen1", "--ssh-config", text)).toMatchObject({ sshConfig });
});

test("no flag takes a password", () => {
  const command = addConnectionOptions(new Command());
  expect(command.options.map(({ long }) => long).filter((name) => /password/.test(name ?? ""))).toEqual([]);
});

test.each<[string, string[], RegExp]>([
  ["no host", [], /--host is missing.*XEN_HOST/],
  [
    "a key file that is not there",
    ["--host", "x", "--private-key-file", "/none"],
    /--private-key-file: ENOENT/,
  ],
])("%s is refused", (_title, args, message) => {
  expect(() => read(...args)).toThrow(message);
});

test.each<[string, object, RegExp]>([
  ["no credentials", {}, /^No credentials: set XEN_PASSWORD, or give --private-key-file/],
  ["a port that is none", { password: "x", port: NaN }, /^--port: must be a whole number/],
  [
    "a key that is none",
    { privateKey: "secret" },
    /^--private-key-file: cannot be used: it is not a private key/,
  ],
  [
    "a jump host without a login",
    { password: "x", proxy: { host: "j" } },
    /^No credentials: .*XEN_PROXY_PASSWORD, or give --proxy-private/,
  ],
  ["a user in the host", { password: "x", host: "root@xen1" }, /^--host: .* set the user with --user$/],
  [
    "a user in the jump host",
    { password: "x", proxy: { host: "root@j", password: "x" } },
    /^--proxy-host: .* set the user with --proxy-user$/,
  ],
  [
    "a jump host's key",
    { password: "x", proxy: { host: "j", password: "x", hostKey: "y" } },
    /^--proxy-host-key: /,
  ],
])("%s is refused by flag", async (_title, connection, message) => {
  await expect(assertUsable({ host: "xen1", ...connection })).rejects.toThrow(message);
});

test("messages that name fields of a connection name flags and variables", () => {
  expect(inFlags('set connection.hostKey to "x", or connection.password')).toBe(
    'set --host-key to "x", or XEN_PASSWORD',
  );
  expect(inFlags("Set privateKey or a longer perDialTimeout")).toBe(
    "Set --private-key-file or a longer --per-dial-timeout",
  );
  expect(inFlags("Jump host: set agentSocketPath")).toBe("Jump host: set --proxy-agent-socket-path");
});
