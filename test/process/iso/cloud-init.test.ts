import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  assertCloudInitArguments,
  cloudConfigOf,
  metaDataOf,
  networkConfigOf,
  userDataOf,
} from "../../../provider/iso/cloud-init";
import { needs, run } from "./readers";

const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWDaxhzlaJqKY73Uz1hLr2mFvFaKsf9bKFYT5H7IxD4 admin@example.net";

const SETTINGS = {
  users: [
    {
      name: "admin",
      sshAuthorizedKeys: [KEY],
      passwordHash: "$6$salt$hash/with.dots",
      groups: ["sudo", "adm"],
      sudo: "ALL=(ALL) NOPASSWD:ALL",
      shell: "/bin/bash",
    },
    { name: "guest" },
  ],
  sshAuthorizedKeys: [KEY],
  userData: {
    packages: ["nginx"],
    locale: "no",
    runcmd: [["echo", "Grüße: @all #1"]],
    write_files: [{ path: "/etc/motd", permissions: "0644", content: "Hello: 'you'\n  \"and\" you\n" }],
  },
};

const NETWORK = {
  ethernets: {
    eth0: {
      addresses: ["10.0.0.11/24"],
      routes: [{ to: "0.0.0.0/0", via: "10.0.0.1" }],
      nameservers: { addresses: ["10.0.0.2"], search: ["example.net"] },
    },
  },
};

describe("user-data", () => {
  test("is cloud-config, with strings quoted that YAML 1.1 takes for something else", () => {
    expect(userDataOf(SETTINGS)).toBe(`#cloud-config
locale: "no"
packages:
  - nginx
runcmd:
  - - echo
    - "Grüße: @all #1"
ssh_authorized_keys:
  - ${KEY}
users:
  - default
  - groups:
      - sudo
      - adm
    hashed_passwd: "$6$salt$hash/with.dots"
    lock_passwd: false
    name: admin
    shell: /bin/bash
    ssh_authorized_keys:
      - ${KEY}
    sudo: "ALL=(ALL) NOPASSWD:ALL"
  - name: guest
write_files:
  - content: |
      Hello: 'you'
        "and" you
    path: /etc/motd
    permissions: "0644"
`);
  });

  test("of nothing is an empty cloud-config", () => {
    expect(userDataOf({})).toBe("#cloud-config\n{}\n");
  });

  test("that is given as a text is taken as it is", () => {
    expect(userDataOf({ userData: "#!/bin/sh\r\ntrue" })).toBe("#!/bin/sh\r\ntrue");
    expect(() => userDataOf({ userData: "#!/bin/sh", users: [] })).toThrow(
      /userData is text, to which users/,
    );
    expect(() => userDataOf({ userData: "#!/bin/sh", sshAuthorizedKeys: [KEY] })).toThrow(/userData is text/);
  });

  test("has the program's own keys where there are two", () => {
    expect(userDataOf({ users: [{ name: "a" }], userData: { users: [] } })).toBe(
      "#cloud-config\nusers: []\n",
    );
  });

  test("takes no password for its hash, and does not tell it", () => {
    const settings = { users: [{ name: "admin", passwordHash: "hunter2" }] };
    expect(() => userDataOf(settings)).toThrow(
      /passwordHash of user "admin" is not a hash such as `mkpasswd/,
    );
    expect(() => userDataOf(settings)).not.toThrow(/hunter2/);
  });
});

test("the image's own user is named once, where the program says", () => {
  const admin = { name: "admin" };
  expect(userDataOf({ users: ["default", admin] })).toBe(userDataOf({ users: [admin] }));
  expect(userDataOf({ users: [admin, "default"] })).toBe(
    "#cloud-config\nusers:\n  - name: admin\n  - default\n",
  );
});

test.each<[string, unknown, RegExp]>([
  ["users that are no list", { users: { name: "a" } }, /^cloudInit: users must be a list\.$/],
  ["a user's name alone", { users: ["bob"] }, /users\[0\] must be an object .*, or "default"/],
  ["a user without a name", { users: [{}] }, /users\[0\]\.name must be a non-empty string/],
  [
    "a user's field by cloud-init's name",
    { users: ["default", { name: "a", ssh_authorized_keys: [KEY] }] },
    /users\[1\]\.ssh_authorized_keys is not a field of a user; did you mean sshAuthorizedKeys\?/,
  ],
  [
    "a user's keys as a text",
    { users: [{ name: "a", sshAuthorizedKeys: KEY }] },
    /must be a list of strings/,
  ],
  ["keys as a text", { sshAuthorizedKeys: KEY }, /sshAuthorizedKeys must be a list of strings/],
  ["user-data as a list", { userData: ["nginx"] }, /userData must be a string or an object/],
])("user-data refuses %s", (_title, settings, message) => {
  expect(() => userDataOf(settings as never)).toThrow(message);
});

test.each([
  [{ userdata: {} }, /^cloudInit: userdata is not an argument; did you mean userData\?\.?$/],
  [{ user_data: {} }, /did you mean userData\?/],
  [{ ssh: [] }, /ssh is not an argument; expected one of hostname, users, /],
])("refuses %j by the name", (args, message) => {
  expect(() => assertCloudInitArguments(args)).toThrow(message);
});

test("network-config as text is used as it is, if it is YAML", () => {
  for (const text of ["version: 1\nconfig: []\n", "network: {version: 2}", '{"version": 2}'])
    expect(networkConfigOf(text)).toBe(text);
  for (const text of ["", "eth0", "- a", "a: [", "a: b: c"])
    expect(() => networkConfigOf(text)).toThrow(/network is a text, but not a YAML mapping/);
  for (const network of [["a"], 1, null])
    expect(() => networkConfigOf(network as never)).toThrow(/network must be a string or an object/);
});

test("vendor-data is a text, or cloud-config", () => {
  expect(cloudConfigOf("#!/bin/sh\n")).toBe("#!/bin/sh\n");
  expect(cloudConfigOf({ packages: ["nginx"] })).toBe("#cloud-config\npackages:\n  - nginx\n");
});

test("network-config is of version 2 alone", () => {
  expect(networkConfigOf({ ethernets: { eth0: { dhcp4: true } } })).toBe(
    "ethernets:\n  eth0:\n    dhcp4: true\nversion: 2\n",
  );
  expect(networkConfigOf({ version: 2, ...NETWORK })).toBe(networkConfigOf(NETWORK));
  for (const network of [{ version: 1, config: [] }, { network: NETWORK }, { config: [] }])
    expect(() => networkConfigOf(network)).toThrow(/network takes version 2/);
});

describe("meta-data", () => {
  const content = { hostname: "web-1", userData: "a", vendorData: "b", networkConfig: "c" };

  test("has the host's name, and an ID made from the content", () => {
    expect(metaDataOf(content)).toMatch(/^instance-id: iid-[0-9a-f]{16}\nlocal-hostname: web-1\n$/);
    expect(metaDataOf({ userData: "" })).toMatch(/^instance-id: iid-[0-9a-f]{16}\n$/);
  });

  test("stays with the same content, in whatever order a program or an output has it", () => {
    const one = userDataOf({ userData: { a: 1, b: { c: 2, d: 3 } } });
    const other = userDataOf({ userData: { b: { d: 3, c: 2 }, a: 1 } });
    expect(metaDataOf({ ...content, userData: one })).toBe(metaDataOf({ ...content, userData: other }));
  });

  test("has another ID for any other content", () => {
    const others = [
      content,
      { ...content, hostname: "web-2" },
      { ...content, userData: "b" },
      { ...content, vendorData: "a" },
      { ...content, networkConfig: "b" },
      { ...content, vendorData: "c", networkConfig: "b" },
      { ...content, vendorData: undefined },
      { ...content, networkConfig: undefined },
    ];
    const ids = others.map((other) => metaDataOf(other).split("\n")[0]);
    expect(new Set(ids).size).toBe(others.length);
  });
});

const cloudInit = needs("cloud-init");

describe.skipIf(cloudInit.isMissing)(cloudInit.title, () => {
  test("finds user-data valid, and a wrong one not", async () => {
    await expect(verdictOf(userDataOf(SETTINGS))).resolves.toContain("Valid cloud-config");
    await expect(verdictOf(userDataOf({}))).resolves.toContain("Valid cloud-config");
    await expect(verdictOf(userDataOf({ userData: { packages: 7 } }))).rejects.toThrow(/packages: 7 is not/);
  });

  test("reads the files as the seed of an instance, with its network", async () => {
    const userData = userDataOf(SETTINGS);
    const networkConfig = networkConfigOf(NETWORK);
    const vendorData = cloudConfigOf({ timezone: "UTC" });
    const metaData = metaDataOf({ hostname: "web-1.example.net", userData, vendorData, networkConfig });
    const seed = await readAsSeed({
      "user-data": userData,
      "vendor-data": vendorData,
      "network-config": networkConfig,
      "meta-data": metaData,
    });
    expect(seed).toMatchObject({
      id: /iid-\w+/.exec(metaData)?.[0],
      hostname: "web-1.example.net",
      userData,
      vendorData,
      interfaces: [
        {
          name: "eth0",
          subnets: [
            {
              type: "static",
              address: "10.0.0.11",
              prefix: 24,
              routes: [{ network: "0.0.0.0", prefix: 0, gateway: "10.0.0.1" }],
              dns_nameservers: ["10.0.0.2"],
              dns_search: ["example.net"],
            },
          ],
        },
      ],
    });
  });

  test("reads every value as it was given", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(hardStrings(), hardValues(), { noNullPrototype: true }),
        async (value) => {
          const read = await python(
            "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin.buffer)))",
            cloudConfigOf(value),
          );
          expect(read).toEqual(value);
        },
      ),
      // A slow machine tries fewer.
      { numRuns: 60, interruptAfterTimeLimit: 10_000 },
    );
  });
});

async function verdictOf(userData: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "cloud-config-"));
  try {
    const path = join(folder, "user-data");
    await writeFile(path, userData);
    return (await run("cloud-init", "schema", "--config-file", path)).stdout.toString();
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What cloud-init's own NoCloud makes of files in its folder for seeds. */
const READ_SEED = `
import json, sys
from cloudinit import distros, helpers
from cloudinit.net.network_state import parse_net_config_data
from cloudinit.sources.DataSourceNoCloud import DataSourceNoCloud
folder = sys.stdin.read()
paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder})
distro = distros.fetch("debian")("debian", {}, paths)
source = DataSourceNoCloud({"datasource": {"NoCloud": {"fs_label": None}}}, distro, paths)
assert source.get_data()
network = parse_net_config_data(source.network_config)
text = lambda raw: raw.decode() if isinstance(raw, bytes) else raw
print(json.dumps({
  "id": source.get_instance_id(),
  "hostname": source.metadata["local-hostname"],
  "userData": text(source.get_userdata_raw()),
  "vendorData": text(source.get_vendordata_raw()),
  "interfaces": list(network.iter_interfaces()),
}))`;

async function readAsSeed(files: Readonly<Record<string, string>>): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "cloud-seed-"));
  try {
    const seed = join(folder, "seed", "nocloud");
    await mkdir(seed, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(seed, name), text);
    return await python(READ_SEED, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs Debian's Python, which has cloud-init's modules; another may come first on PATH. */
async function python(program: string, input: string): Promise<unknown> {
  const running = promisify(execFile)("/usr/bin/python3", ["-c", program]);
  running.child.stdin?.end(input);
  return JSON.parse((await running).stdout);
}

function hardStrings(): fc.Arbitrary<string> {
  const words = fc.constantFrom(
    ...[
      "yes",
      "No",
      "on",
      "y",
      "null",
      "~",
      "",
      "012",
      "0o17",
      "0x1f",
      "1_000",
      "1:30",
      "1e3",
      ".inf",
      "<<",
      "=",
    ],
    ...[
      "2001-01-01",
      "@home",
      "`a`",
      "a: b",
      "a:",
      "a #b",
      "- a",
      "? a",
      "!a",
      "&a",
      "*a",
      "%a",
      "{a}",
      "[a]",
    ],
    ...[
      "'a'",
      '"a"',
      " a",
      "a ",
      "---",
      "...",
      "| a",
      "> a",
      "a\nb",
      "a\n",
      "\n",
      " a\nb",
      "a\n\n",
      "---\na",
    ],
    ...[
      "# a\nb",
      "a \nb",
      "a\r\nb",
      "\ta",
      "a\tb",
      "a\n\tb",
      "ü: ß",
      "\u0085",
      "\u2028",
      "\ufeff",
      "\x7f",
      "\0",
    ],
    ...["\x9f", "\ufffe", "😀", "\ud800", "\\n", "word ".repeat(40), KEY],
  );
  const letters = fc.constantFrom(
    ...Array.from("ynYN:#@`!&*%|>{}[],'\"\\ \t\n\r-?=<~0189e.x_+/üß漢😀\u00a0\u0085\ufeff"),
  );
  return fc
    .oneof(words, fc.string({ unit: letters, maxLength: 12 }), fc.string({ unit: "binary" }))
    .filter((text) => text !== "__proto__");
}

const hardValues = () =>
  fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      hardStrings(),
      fc.constantFrom(null, true, false, 0.5, -2.25),
      fc.maxSafeInteger(),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(hardStrings(), tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value;
