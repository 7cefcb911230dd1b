import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Server, utils } from "ssh2";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  fingerprint,
  loadHostKeyPolicy,
  parseHostKeyOption,
  publicKeyText,
  type HostKeyRefusal,
  allowsHostKey,
} from "../../../provider/ssh/host-key";

const folder = mkdtempSync(join(tmpdir(), "host-key-"));
const knownHosts = join(folder, ".ssh", "known_hosts");
mkdirSync(join(folder, ".ssh"));
afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(() => {
  vi.stubEnv("HOME", folder);
  vi.stubEnv("USERPROFILE", folder);
  writeFileSync(knownHosts, "");
});
afterEach(() => vi.unstubAllEnvs());

const pairs = {
  ed25519: utils.generateKeyPairSync("ed25519"),
  ecdsa: utils.generateKeyPairSync("ecdsa", { bits: 256 }),
  rsa: utils.generateKeyPairSync("rsa", { bits: 2048 }),
};
const [ed25519, ecdsa, rsa] = [pairs.ed25519.public, pairs.ecdsa.public, pairs.rsa.public];
const other = utils.generateKeyPairSync("ed25519").public;
const blobOf = (text: string) => Buffer.from(text.split(" ")[1] ?? "", "base64");
const printOf = (text: string) => fingerprint(blobOf(text));

const DEFAULT_ORDER = [
  ...["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
  ...["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
];
const RSA_FIRST = [...DEFAULT_ORDER.slice(4), ...DEFAULT_ORDER.slice(0, 4)];
const xen1 = { host: "xen1.example.net", port: 22 };
const xen1At2222 = { host: "Xen1.example.net", port: 2222 };

async function verify(target: Parameters<typeof loadHostKeyPolicy>[0], key: string) {
  return (await loadHostKeyPolicy(target)).verify(blobOf(key));
}

describe("fingerprint and publicKeyText", () => {
  test.each(Object.entries(pairs))(
    "are what ssh-keygen prints for a key of type %s",
    (type, { public: key }) => {
      const file = join(folder, `${type}.pub`);
      writeFileSync(file, `${key}\n`);
      const printed = execFileSync("ssh-keygen", ["-lf", file], { encoding: "utf8" });
      expect(printed.split(" ")[1]).toBe(fingerprint(blobOf(key)));
      expect(publicKeyText(blobOf(key))).toBe(key);
    },
  );

  test("are what ssh-keygen printed for a key of its own", () => {
    const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPcZ8sTXCx7UKCg4vTOT3CgmS3Gz45Ut9l0Vd/znN7ED";
    expect(printOf(key)).toBe("SHA256:YTwIIA3nFCz86ZTbGGEe0MxqUXTVE3hJ0dXr4v8DzKc");
  });
});

describe("parseHostKeyOption", () => {
  test("takes a public key with or without a comment", () => {
    const expected = { type: "ssh-ed25519", fingerprint: printOf(ed25519) };
    expect(parseHostKeyOption(ed25519)).toEqual([expected]);
    expect(parseHostKeyOption(` ${ed25519.replace(" ", "\t ")} root@xen1 dom0\n`)).toEqual([expected]);
  });

  test("takes a fingerprint with or without padding, and ignore", () => {
    expect(parseHostKeyOption(printOf(rsa))).toEqual([{ fingerprint: printOf(rsa) }]);
    expect(parseHostKeyOption(`${printOf(rsa)}=\n`)).toEqual([{ fingerprint: printOf(rsa) }]);
    expect(parseHostKeyOption("ignore")).toBe("ignore");
  });

  test.each([
    ["nothing", "", /not one host key/],
    ["a marked line of known_hosts", `@revoked xen1.example.net ${ed25519}`, /marker/],
    ["a text before a damaged key", `xen1.example.net ${ed25519.slice(0, -4)}`, /cut short/],
    ["two keys", `${ed25519}\n${rsa}`, /not one host key/],
    ["a private key", pairs.ed25519.private, /not one host key/],
    ["a type that ssh2 does not take by default", `ssh-dss ${ed25519.split(" ")[1]}`, /not one host key/],
    ["the name of a method of every object", `toString ${ed25519.split(" ")[1]}`, /not one host key/],
    [
      "a fingerprint of another kind",
      "MD5:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff",
      /not one host key/,
    ],
    ["a type alone", "ssh-ed25519", /ssh-ed25519 key is cut short/],
    ["a key that is cut short", ed25519.slice(0, -4), /ssh-ed25519 key is cut short/],
    ["a key of another type", `ssh-rsa ${ed25519.split(" ")[1]}`, /ssh-rsa key is cut short or damaged/],
    ["a fingerprint that is cut short", printOf(rsa).slice(0, -1), /43 characters/],
    ["a fingerprint that no hash has", `SHA256:${"A".repeat(42)}B`, /43 characters/],
    [
      "a certificate",
      "ssh-ed25519-cert-v01@openssh.com AAAA",
      /\(ssh-ed25519-cert-v01@openssh\.com\) cannot/,
    ],
  ])("refuses %s and says what is valid", (_, text, message) => {
    expect(() => parseHostKeyOption(text)).toThrow(TypeError);
    expect(() => parseHostKeyOption(text)).toThrow(message);
    expect(() => parseHostKeyOption(text)).toThrow(/"ssh-ed25519 AAAA…".*"SHA256:…".*"ignore"/);
  });

  test("takes a line of ssh-keyscan or known_hosts, as the key in it", () => {
    const expected = [{ type: "ssh-ed25519", fingerprint: printOf(ed25519) }];
    for (const names of ["xen1.example.net", "[10.0.0.1]:2222", "|1|abc=|def=", "xen1,10.0.0.1"])
      expect(parseHostKeyOption(`${names} ${ed25519}`)).toEqual(expected);
  });

  test("takes several keys, of which any may match", () => {
    const keys = [ed25519, printOf(rsa)];
    expect(allowsHostKey(keys, ed25519)).toBe(true);
    expect(allowsHostKey(keys, rsa)).toBe(true);
    expect(allowsHostKey([ed25519], rsa)).toBe(false);
    expect(() => parseHostKeyOption([])).toThrow(/no key in the list/);
    expect(() => parseHostKeyOption([ed25519, "ignore"])).toThrow(/cannot stand beside keys/);
  });

  test("repeats nothing of what may be a secret", () => {
    for (const secret of ["hunter2", "hunter2 again", "ssh-rsa hunter2", "SHA256:hunter2"])
      expect(() => parseHostKeyOption(secret)).toThrow(/^(?!.*hunter2)/s);
  });
});

describe("a host of known_hosts", () => {
  test("may have any of its keys", async () => {
    writeFileSync(knownHosts, `xen1.example.net ${ed25519}\nxen1.example.net ${rsa}\n`);
    expect(await verify(xen1, ed25519)).toBeUndefined();
    expect(await verify(xen1, rsa)).toBeUndefined();
  });

  test("is refused with a key of a type that is not known, as one that changed", async () => {
    writeFileSync(knownHosts, `# mine\nxen1.example.net ${rsa}\n*.example.net ${other}\n`);
    const { code, message } = (await verify(xen1, ed25519)) as HostKeyRefusal;
    expect(code).toBe("HOST_KEY_CHANGED");
    expect(message).toBe(
      `The host key of xen1.example.net:22 has changed: it is ssh-ed25519 ${printOf(ed25519)}, but ` +
        `line 2 of ${knownHosts} says ssh-rsa ${printOf(rsa)} and line 3 of ${knownHosts} says ssh-ed25519 ${printOf(other)}. ` +
        "Someone may be intercepting the connection, or the host was reinstalled. Only if " +
        "`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints the same on the host's console, remove what is " +
        `outdated with \`ssh-keygen -f "${knownHosts}" -R "xen1.example.net"\` and add this line to ` +
        `~/.ssh/known_hosts: xen1.example.net ${ed25519}`,
    );
  });

  test("is told how to be removed under its port", async () => {
    writeFileSync(knownHosts, `[xen1.example.net]:2222 ${other}\n`);
    const refusal = await verify(xen1At2222, rsa);
    expect(refusal).toMatchObject({ code: "HOST_KEY_CHANGED" });
    expect(refusal?.message).toContain(`-R "[xen1.example.net]:2222"`);
    expect(refusal?.message).toContain("/etc/ssh/ssh_host_rsa_key.pub");
  });

  test("is unknown if only its name without the port has another key", async () => {
    writeFileSync(knownHosts, `xen1.example.net ${other}\n`);
    expect(await verify(xen1At2222, other)).toBeUndefined();
    expect(await verify(xen1At2222, ed25519)).toMatchObject({ code: "HOST_KEY_UNKNOWN" });
  });
});

test.each([
  ["on port 22", xen1, "xen1.example.net:22", "xen1.example.net"],
  ["on another port", xen1At2222, "Xen1.example.net:2222", "[xen1.example.net]:2222"],
  ["with an IPv6 address", { host: "2001:DB8::0:1", port: 22 }, "[2001:DB8::0:1]:22", "2001:db8::1"],
])(
  "an unknown host %s is refused with what to compare and the line to add",
  async (_, target, address, name) => {
    expect(await verify(target, ecdsa)).toEqual({
      code: "HOST_KEY_UNKNOWN",
      message:
        `The host key of ${address} is not known (ecdsa-sha2-nistp256 ${printOf(ecdsa)}). Compare it with what ` +
        "`ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key.pub` prints on the host's console, and if it is the same, set " +
        `connection.hostKey to "${ecdsa}" or add this line to ~/.ssh/known_hosts: ${name} ${ecdsa}`,
    });
    writeFileSync(knownHosts, `${name} ${ecdsa}`);
    expect(await verify(target, ecdsa)).toBeUndefined();
  },
);

describe("a pinned key", () => {
  test.each([
    ["public key", ed25519, `ssh-ed25519 ${printOf(ed25519)}`],
    ["fingerprint", printOf(ed25519), printOf(ed25519)],
  ])("given as %s decides, whatever known_hosts says", async (_, hostKey, expected) => {
    writeFileSync(knownHosts, `xen1.example.net ${other}\n`);
    expect(await verify({ ...xen1, hostKey }, ed25519)).toBeUndefined();
    const refusal = await verify({ ...xen1, hostKey }, other);
    expect(refusal).toMatchObject({ code: "HOST_KEY_MISMATCH" });
    expect(refusal?.message).toContain(`it is ssh-ed25519 ${printOf(other)}, not ${expected}.`);
    expect(refusal?.message).toContain(`set connection.hostKey to "${other}"`);
  });

  test("that is revoked is refused, whatever the port", async () => {
    writeFileSync(knownHosts, `\n@revoked *.example.net ${ed25519}\n`);
    for (const target of [xen1, xen1At2222]) {
      const refusal = await verify({ ...target, hostKey: ed25519 }, ed25519);
      expect(refusal).toMatchObject({ code: "HOST_KEY_REVOKED" });
      expect(refusal?.message).toContain(`is revoked by line 2 of ${knownHosts}.`);
    }
    expect(await verify({ ...xen1, host: "xen1.example.org", hostKey: ed25519 }, ed25519)).toBeUndefined();
  });

  test("that is not valid is an error before anything is sent", async () => {
    await expect(loadHostKeyPolicy({ ...xen1, hostKey: "MD5:aa" })).rejects.toThrow(TypeError);
  });
});

test("ignore accepts everything, revoked keys too", async () => {
  writeFileSync(knownHosts, `@revoked * ${ed25519}\n`);
  expect(await verify({ ...xen1, hostKey: "ignore" }, ed25519)).toBeUndefined();
});

describe("algorithms", () => {
  const algorithms = async (hostKey?: string) =>
    (await loadHostKeyPolicy({ ...xen1At2222, hostKey })).serverHostKeyAlgorithms;

  test("are ssh2's own where nothing is known", async () => {
    const ssh2 = await vi.importActual<{ DEFAULT_SERVER_HOST_KEY: string[] }>(
      "ssh2/lib/protocol/constants.js",
    );
    expect(await algorithms()).toEqual(ssh2.DEFAULT_SERVER_HOST_KEY);
    expect(await algorithms("ignore")).toEqual(DEFAULT_ORDER);
    expect(await algorithms(printOf(rsa))).toEqual(DEFAULT_ORDER);
  });

  test("begin with those of the pinned key", async () => {
    expect(await algorithms(rsa)).toEqual(RSA_FIRST);
    writeFileSync(knownHosts, `* ${ed25519}\n* ${rsa}\n`);
    expect(await algorithms(printOf(rsa))).toEqual(RSA_FIRST);
  });

  test("begin with those of the known keys that are not revoked", async () => {
    writeFileSync(knownHosts, `xen1.example.net ${rsa}\n`);
    expect(await algorithms()).toEqual(RSA_FIRST);
    writeFileSync(knownHosts, `[*]:2222 ${rsa}\n[*]:2222 ${ed25519}\n@revoked * ${ed25519}\n`);
    expect(await algorithms()).toEqual(RSA_FIRST);
  });
});

describe("accepts whom OpenSSH's client accepts", () => {
  const privateKeys = [pairs.ed25519.private, pairs.ecdsa.private, pairs.rsa.private];
  const server = new Server({ hostKeys: privateKeys }, (client) =>
    client.on("error", () => undefined).on("authentication", (context) => context.reject()),
  );
  const target = { host: "127.0.0.1", port: 0 };

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    target.port = (server.address() as AddressInfo).port;
  });
  afterAll(() => server.close());

  /** Nobody can log in: what counts is whether the client tries to. */
  function isAcceptedByOpenSsh(): Promise<boolean> {
    const options = [
      ...["BatchMode=yes", "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null"],
      ...[`UserKnownHostsFile=${knownHosts}`, "PreferredAuthentications=password"],
    ].flatMap((option) => ["-o", option]);
    const args = ["-F", "none", ...options, "-p", String(target.port), `root@${target.host}`];
    return new Promise((resolve, reject) => {
      execFile("ssh", args, (_, __, stderr) => {
        if (stderr.includes("Permission denied")) return resolve(true);
        if (stderr.includes("Host key verification failed")) return resolve(false);
        return reject(new Error(stderr));
      });
    });
  }

  async function isAcceptedHere(): Promise<boolean> {
    const policy = await loadHostKeyPolicy(target);
    return new Promise((resolve) => {
      const client = new Client().on("error", () => undefined);
      client.connect({
        ...target,
        username: "root",
        algorithms: { serverHostKey: policy.serverHostKeyAlgorithms },
        hostVerifier: (blob: Buffer) => {
          resolve(policy.verify(blob) === undefined);
          return false;
        },
      });
    });
  }

  test.each<[string, boolean, (name: string) => string[]]>([
    ["nothing", false, () => []],
    ["its key", true, (name) => [`${name} ${ed25519}`]],
    ["only its RSA key", true, (name) => [`${name} ${rsa}`]],
    ["only its ECDSA key, by a pattern", true, () => [`[127.0.0.*]:* ${ecdsa}`]],
    ["its key under any name", true, () => [`* ${ed25519}`]],
    ["its key among others", true, (name) => [`${name} ${other}`, `${name},x ${ed25519}`]],
    ["another key", false, (name) => [`${name} ${other}`]],
    ["its key without the port", true, () => [`127.0.0.1 ${ed25519}`]],
    [
      "its key without the port, another with it",
      false,
      (name) => [`127.0.0.1 ${ed25519}`, `${name} ${other}`],
    ],
    ["another key without the port", false, () => [`127.0.0.1 ${other}`]],
    ["its key under another port", false, () => [`[127.0.0.1]:1 ${ed25519}`]],
    ["its key as an authority's", false, (name) => [`@cert-authority ${name} ${ed25519}`]],
    ["its key, revoked", false, (name) => [`${name} ${ed25519}`, `@revoked * ${ed25519}`]],
    ["two of its keys, one revoked", true, (name) => [`${name} ${rsa}`, `@revoked ${name} ${ed25519}`]],
    ["its key where the name is excepted with the port", true, (name) => [`*,!${name} ${ed25519}`]],
    ["its key where the name is excepted", false, (name) => [`*,!${name},!127.0.0.1 ${ed25519}`]],
  ])("known_hosts has %s", async (_, isAccepted, lines) => {
    writeFileSync(knownHosts, lines(`[127.0.0.1]:${target.port}`).join("\r\n"));
    expect(await isAcceptedByOpenSsh()).toBe(isAccepted);
    expect(await isAcceptedHere()).toBe(isAccepted);
  });
});
