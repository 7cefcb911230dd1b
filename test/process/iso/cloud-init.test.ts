import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cloudConfigOf, metaDataOf, networkConfigOf, userDataOf } from "../../../provider/iso/cloud-init";
import { KEY, NETWORK, SETTINGS } from "../../cloud-init-settings";
import { needs, run } from "./readers";

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
