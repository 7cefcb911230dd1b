import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { cloudInit, neonInit } from "../../../provider";

const valueOf = <T>(output: pulumi.Output<T> | undefined): Promise<unknown> =>
  new Promise((resolve) => void pulumi.output(output).apply(resolve));

async function valuesOf(files: object): Promise<Record<string, unknown>> {
  const entries = Object.entries(files).map(async ([path, file]) => [path, await valueOf(file)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function secretsOf(files: object): Promise<string[]> {
  const paths: string[] = [];
  for (const [path, file] of Object.entries(files)) if (await pulumi.isSecret(file)) paths.push(path);
  return paths.sort();
}

const network = { ethernets: { eth0: { dhcp4: true } } };

test("has the two files that NoCloud needs, and others for what is given", async () => {
  expect(await valuesOf(cloudInit({}))).toEqual({
    "meta-data": expect.stringMatching(/^instance-id: iid-/),
    "user-data": "#cloud-config\n{}\n",
  });
  expect(
    await valuesOf(cloudInit({ hostname: "web-1", network, userData: "#!/bin/sh\n", vendorData: { a: 1 } })),
  ).toEqual({
    "meta-data": expect.stringContaining("local-hostname: web-1"),
    "user-data": "#!/bin/sh\n",
    "network-config": "ethernets:\n  eth0:\n    dhcp4: true\nversion: 2\n",
    "vendor-data": "#cloud-config\na: 1\n",
  });
});

test("takes outputs anywhere", async () => {
  const plain = {
    hostname: "web-1",
    users: [{ name: "admin", groups: ["sudo"], sshAuthorizedKeys: ["ssh-ed25519 AAAA"] }],
    network,
    userData: { packages: ["nginx"] },
  };
  const later = {
    hostname: pulumi.output("web-1"),
    users: pulumi.output([
      {
        name: pulumi.output("admin"),
        groups: ["sudo"],
        sshAuthorizedKeys: Promise.resolve(["ssh-ed25519 AAAA"]),
      },
    ]),
    network: { ethernets: { eth0: pulumi.output({ dhcp4: Promise.resolve(true) }) } },
    userData: pulumi.output({ packages: [pulumi.output("nginx")] }),
  };
  expect(await valuesOf(cloudInit(later))).toEqual(await valuesOf(cloudInit(plain)));
});

test("refuses an unknown argument at once, and takes a network as text", async () => {
  expect(() => cloudInit({ userdata: {} } as never)).toThrow(/did you mean userData\?/);
  const files = await valuesOf(cloudInit({ users: ["default"], network: "version: 1\nconfig: []\n" }));
  expect(files).toMatchObject({
    "user-data": "#cloud-config\nusers:\n  - default\n",
    "network-config": "version: 1\nconfig: []\n",
  });
});

test("a network that turns out to be none makes no file", async () => {
  const files = await valuesOf(cloudInit({ network: pulumi.output(undefined) }));
  expect(files["network-config"]).toBeUndefined();
});

test("is secret where a secret is in it, and in the ID that is made of it", async () => {
  const all = { hostname: "web-1", network, vendorData: {}, userData: {} };
  const secret = pulumi.secret("hunter2");
  expect(await secretsOf(cloudInit(all))).toEqual([]);
  expect(
    await secretsOf(cloudInit({ ...all, users: [{ name: "a", passwordHash: pulumi.secret("$6$a$b") }] })),
  ).toEqual(["meta-data", "user-data"]);
  expect(await secretsOf(cloudInit({ ...all, network: { wifis: { wlan0: secret } } }))).toEqual([
    "meta-data",
    "network-config",
  ]);
  expect(await secretsOf(cloudInit({ ...all, vendorData: { secret } }))).toEqual([
    "meta-data",
    "vendor-data",
  ]);
  expect(await secretsOf(cloudInit({ ...all, hostname: secret }))).toEqual(["meta-data"]);
});

test("neonInit has the script with the line ends of Linux, and stays secret", async () => {
  expect(await valuesOf(neonInit("#!/bin/bash\r\necho 1\r\n"))).toEqual({
    "neon-init.sh": "#!/bin/bash\necho 1\n",
  });
  expect(await secretsOf(neonInit("#!/bin/bash\n"))).toEqual([]);
  expect(await secretsOf(neonInit(pulumi.secret("#!/bin/bash\n")))).toEqual(["neon-init.sh"]);
});

test("the YAML library is loaded by the first disc that needs it, not by importing the package", async () => {
  const program = `
    const isLoaded = () => Object.keys(require.cache).some(file => /node_modules[/\\\\]yaml[/\\\\]/.test(file));
    const { cloudInit } = require("pulumi-xen-iso");
    const before = isLoaded();
    cloudInit({})["user-data"].apply(() => console.log(JSON.stringify([before, isLoaded()])));`;
  const { stdout } = await promisify(execFile)("node", ["-e", program]);
  expect(JSON.parse(stdout)).toEqual([false, true]);
});
