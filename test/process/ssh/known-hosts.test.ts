import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { utils } from "ssh2";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import {
  findKnownKeys,
  knownHostsName,
  parseKnownHosts,
  parsePublicKey,
  readKnownHosts,
} from "../../../provider/ssh/known-hosts";

const folder = mkdtempSync(join(tmpdir(), "known-hosts-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, "file");
const key = utils.generateKeyPairSync("ed25519").public;
const rsaKey = utils.generateKeyPairSync("rsa", { bits: 2048 }).public;

interface Address {
  host: string;
  port: number;
}

/** The numbers of the lines that OpenSSH itself finds under a name, those with a CA's key left out. */
function foundByOpenSsh(name: string) {
  const { stdout, error } = spawnSync("ssh-keygen", ["-l", "-F", name, "-f", file], { encoding: "utf8" });
  if (error) throw error;
  const found = [...stdout.matchAll(/^# Host .* found: line (\d+) (.*)$/gm)];
  const linesMarked = (marker: string) =>
    found.filter((line) => line[2] === marker).map((line) => Number(line[1]));
  return { known: linesMarked(""), revoked: linesMarked("REVOKED") };
}

/** The same by the rules of its client, which tries a name without its port if it is not known with it. */
function expectedFor({ host, port }: Address) {
  const exact = foundByOpenSsh(port === 22 ? host : `[${host}]:${port}`);
  const bare = port === 22 ? { known: [], revoked: [] } : foundByOpenSsh(host);
  return {
    known: exact.known,
    withoutPort: exact.known.length === 0 ? bare.known : [],
    revoked: new Set([...exact.revoked, ...bare.revoked]),
  };
}

function found(text: string, address: Address) {
  const { known, withoutPort, revoked } = findKnownKeys(parseKnownHosts(text), address);
  const numbers = (keys: readonly { line: number }[]) => keys.map(({ line }) => line);
  return { known: numbers(known), withoutPort: numbers(withoutPort), revoked: new Set(numbers(revoked)) };
}

/** Puts OpenSSH's hashes in place of the names in a file. */
async function hashed(text: string): Promise<string> {
  writeFileSync(file, text);
  const { status, stderr } = spawnSync("ssh-keygen", ["-H", "-f", file], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return readFile(file, "utf8");
}

const TABLE = [
  "# a comment",
  "",
  `xen1.example.net ${key}`,
  `xen1.example.net,192.0.2.1 ${rsaKey} with a comment`,
  `XEN2.Example.NET ${key}`,
  `*.example.net,!xen3.example.net ${key}`,
  `xen?.example.net ${key}`,
  `[xen1.example.net]:2222 ${key}`,
  `[xen4.example.net]:22 ${key}`,
  `[*.example.net]:2200,[xen1.example.net]:22?? ${key}`,
  `[*]:* ${rsaKey}`,
  `2001:db8::1,[2001:db8::2]:2222 ${key}`,
  `  \t xen5.example.org\t \t${key}\tcomment`,
  `@revoked xen6.example.org ${key}`,
  `@revoked *.example.com ${rsaKey}`,
  `@revoked [xen7.example.org]:2222 ${key}`,
  `@cert-authority * ${key}`,
  `@unknown xen1.example.net ${key}`,
  `@revoked @cert-authority xen1.example.net ${key}`,
  "xen1.example.net",
  "xen1.example.net ssh-ed25519",
  "xen1.example.net ssh-ed25519 AAAA",
  `xen1.example.net ssh-rsa ${key.split(" ")[1]}`,
  `xen1.example.net ${key.slice(0, -8)}`,
  `xen1.example.net ${key}!`,
  "xen1.example.net 1024 35 1234567890",
  `|1|short|hash ${key}`,
  `|2|abc|def ${key}`,
  `!xen1.example.net ${key}`,
  `xen8.example.org,!xen8.example.org ${key}`,
  `a,,xen9.example.org, ${key}`,
].join("\n");

const ADDRESSES = [
  ...["xen1.example.net", "xen2.example.net", "xen3.example.net", "xen4.example.net", "xen10.example.net"],
  ...["xen5.example.org", "xen6.example.org", "xen7.example.org", "xen8.example.org", "xen9.example.org"],
  ...["192.0.2.1", "2001:db8::1", "2001:db8::2", "host.example.com", "a", "example.net"],
].flatMap((host) => [22, 2222, 2200, 22222].map((port) => ({ host, port })));

const label = fc.stringMatching(/^[ab]{1,3}$/);
const host = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
const address = fc.record({ host, port: fc.constantFrom(22, 22, 2222, 2200) });
const namePattern = fc.stringMatching(/^[abAB.*?]{1,6}$/);
const pattern = fc
  .tuple(
    fc.constantFrom("", "", "!"),
    fc.oneof(host, namePattern),
    fc.constantFrom("", "", "[]:22", "[]:2222", "[]:22*", "[]:*"),
  )
  .map(([mark, name, port]) => mark + (port ? port.replace("[]", `[${name}]`) : name));
const marker = fc.constantFrom("", "", "", "", "@revoked ", "@cert-authority ", "@other ", " \t");
const validLine = fc
  .tuple(marker, fc.array(pattern, { minLength: 1, maxLength: 3 }), fc.constantFrom(key, rsaKey))
  .map(([mark, patterns, publicKey]) => `${mark}${patterns.join(",")} ${publicKey}`);
const line = fc.oneof(
  { weight: 8, arbitrary: validLine },
  { weight: 1, arbitrary: fc.tuple(validLine, fc.nat(120)).map(([text, end]) => text.slice(0, end)) },
  { weight: 1, arbitrary: fc.stringMatching(/^[ab@#|!1= ]{0,20}$/) },
);

describe("finds what OpenSSH finds", { timeout: 60_000 }, () => {
  test("in every form of line", () => {
    writeFileSync(file, TABLE);
    for (const each of ADDRESSES)
      expect({ each, ...found(TABLE, each) }).toEqual({ each, ...expectedFor(each) });
  });

  test("with Windows line ends", () => {
    const text = TABLE.replaceAll("\n", "\r\n");
    writeFileSync(file, text);
    for (const each of ADDRESSES)
      expect({ each, ...found(text, each) }).toEqual({ each, ...expectedFor(each) });
  });

  test("among hashed names", async () => {
    const names = ADDRESSES.filter((_, index) => index % 3 !== 0).map(knownHostsName);
    const text = await hashed(`${names.map((name) => `${name} ${key}\n`).join("")}*.example.com ${rsaKey}\n`);
    expect(text).not.toMatch(/xen\d/);
    for (const each of ADDRESSES)
      expect({ each, ...found(text, each) }).toEqual({ each, ...expectedFor(each) });
  });

  test("for any name, port and patterns", () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 12 }),
        fc.array(address, { maxLength: 3 }),
        (lines, addresses) => {
          const text = lines.join("\n");
          writeFileSync(file, text);
          for (const each of addresses) expect(found(text, each)).toEqual(expectedFor(each));
        },
      ),
      { numRuns: 80 },
    );
  });
});

test("finds a name in a hash that was made elsewhere", () => {
  // What `ssh-keygen -H` made of a.example.net.
  const text = `|1|1ZgBB5KlHKKRxxAFwf+REAFFBNY=|iULuMXR6+jNGFp9+HpyHAtxuZ8M= ${key}`;
  expect(found(text, { host: "A.example.net", port: 22 }).known).toEqual([1]);
  expect(found(text, { host: "b.example.net", port: 22 }).known).toEqual([]);
});

test("looks an IPv6 address up in its shortest form, however it was written", () => {
  const text = `2001:db8::1,fe80::1%eth0 ${key}`;
  expect(found(text, { host: "2001:0DB8:0:0::1", port: 22 }).known).toEqual([1]);
  expect(found(text, { host: "fe80::1%eth0", port: 22 }).known).toEqual([1]);
  expect(knownHostsName({ host: "2001:0DB8:0:0::1", port: 2222 })).toBe("[2001:db8::1]:2222");
});

// A matcher that tries every way to place the stars would not be done within the test's time limit.
test("a long file and a pattern of many stars are gone through", () => {
  const lines = Array.from({ length: 100_000 }, (_, index) => `xen${index}.example.net ${key}`);
  const text = `${lines.join("\n")}\n${"*a".repeat(500)}*b ${key}`;
  expect(found(text, { host: "xen99999.example.net", port: 22 }).known).toEqual([100_000]);
  expect(found(text, { host: "a".repeat(250), port: 22 }).known).toEqual([]);
});

test("takes the keys that can be verified, whole and under their own type", () => {
  const ecdsaKey = utils.generateKeyPairSync("ecdsa", { bits: 384 }).public;
  for (const text of [key, rsaKey, ecdsaKey]) {
    const [type = "", base64 = ""] = text.split(" ");
    expect(parsePublicKey(type, base64)).toEqual({ type, blob: Buffer.from(base64, "base64") });
    expect(parsePublicKey(type, base64.slice(0, -4))).toBeUndefined();
    expect(parsePublicKey("ssh-dss", base64)).toBeUndefined();
  }
});

describe("readKnownHosts", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  test("reads both files of the user, and passes over what is missing or unreadable", async () => {
    const ssh = join(folder, "home", ".ssh");
    mkdirSync(ssh, { recursive: true });
    vi.stubEnv("HOME", join(folder, "home"));
    vi.stubEnv("USERPROFILE", join(folder, "home"));
    const lines = async () => (await readKnownHosts()).filter((each) => each.file.startsWith(folder));
    expect(await lines()).toEqual([]);

    mkdirSync(join(ssh, "known_hosts"));
    writeFileSync(join(ssh, "known_hosts2"), `\nxen1.example.net ${key}\n`);
    const second = { file: join(ssh, "known_hosts2"), line: 2, hosts: "xen1.example.net" };
    expect(await lines()).toMatchObject([second]);

    rmSync(join(ssh, "known_hosts"), { recursive: true });
    writeFileSync(join(ssh, "known_hosts"), `xen2.example.net ${key}\n`);
    expect(await lines()).toMatchObject([{ file: join(ssh, "known_hosts"), line: 1 }, second]);
  });

  test("reads the system's file on Windows", async () => {
    const programData = join(folder, "program-data");
    mkdirSync(join(programData, "ssh"), { recursive: true });
    writeFileSync(join(programData, "ssh", "ssh_known_hosts"), `xen1.example.net ${key}\n`);
    vi.stubEnv("ProgramData", programData);
    vi.stubEnv("HOME", join(folder, "nobody"));
    vi.stubEnv("USERPROFILE", join(folder, "nobody"));
    vi.spyOn(process, "platform", "get").mockReturnValue("win32");
    expect(await readKnownHosts()).toMatchObject([{ line: 1, hosts: "xen1.example.net" }]);
  });
});
