import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UNKNOWN } from "../../provider/lifecycle/unknown";
import { startEngine } from "../faults/provider-process";
import { type InitFailure, PluginClient } from "../plugin/client";
import { PluginProcess } from "../plugin/plugin-process";
import { type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { addVm, drivesOf } from "./drive";
import { hostConnectionsOf, nothing, threeOf } from "./pool";

const urnOf = (type: string, name = "web-1") => `urn:pulumi:dev::shop::xen:index:${type}::${name}`;

const DISC = urnOf("TempIso");
const FILES = { "user-data": "#cloud-config\n", "meta-data": "instance-id: web-1\n" };

let pool: SimulatedPool;
let plugin: PluginProcess;

/** The provider's settings as the engine passes them: all of them text. */
function settingsOf({ connection }: SimulatedHost): Record<string, string> {
  const { host, port, password = "", hostKey } = connection;
  return { host, port: String(port), password, hostKey, dialErrorLimit: "3" };
}

beforeAll(async () => {
  pool = await startPool({ transport: "embedded" });
  plugin = await PluginProcess.start(settingsOf(pool.coordinator));
});

afterAll(async () => {
  await plugin[Symbol.asyncDispose]();
  await pool[Symbol.asyncDispose]();
});

async function checked(urn: string, args: Record<string, unknown>) {
  const { inputs, failures } = await plugin.client.check(urn, {}, args);
  expect(failures).toEqual([]);
  return inputs;
}

describe("a preview of a disc", () => {
  const MADE = ["srUuid", "pbdUuid", "vdiUuid", "srPath", "isoName", "hostUuid", "status"];

  test("shows the content and the names that the program gives, and calls the rest unknown", async () => {
    const inputs = await checked(DISC, { files: FILES, srName: "web-1 seed" });
    const outs = await plugin.client.preview(DISC, inputs);
    expect(outs).not.toHaveProperty("hosts");
    expect(outs).toMatchObject({
      files: FILES,
      srName: "web-1 seed",
      host: pool.coordinator.connection.host,
    });
    expect(outs["isoSha256"]).toMatch(/^[0-9a-f]{64}$/);
    expect(outs["isoSize"]).toBeGreaterThan(0);
    expect(Object.fromEntries(MADE.map((name) => [name, outs[name]]))).toEqual(
      Object.fromEntries(MADE.map((name) => [name, UNKNOWN])),
    );
  });

  test("knows no content while a file is not known", async () => {
    const inputs = await checked(DISC, { files: { ...FILES, "user-data": UNKNOWN } });
    expect(inputs["isoSha256"]).toBe(UNKNOWN);
    const outs = await plugin.client.preview(DISC, inputs);
    const [isoSha256, isoSize, srUuid, srName] = [
      outs["isoSha256"],
      outs["isoSize"],
      outs["srUuid"],
      outs["srName"],
    ];
    expect({ isoSha256, isoSize, srUuid, srName }).toEqual({
      isoSha256: UNKNOWN,
      isoSize: UNKNOWN,
      srUuid: UNKNOWN,
      srName: UNKNOWN,
    });
  });
});

describe("a create that is stopped", () => {
  const slowly = () => {
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "delay", ms: 4_000, when: "before" } });
  };

  test("by the time of customTimeouts undoes what it did", async () => {
    slowly();
    const inputs = await checked(DISC, { files: FILES });
    await expect(plugin.client.create({ urn: DISC, timeoutSeconds: 1 }, inputs)).rejects.toThrow(
      /did not end within 1 s\. Set a longer time in customTimeouts/,
    );
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("by Cancel undoes what it did, and a create begun later is refused", async () => {
    await using other = await PluginProcess.start(settingsOf(pool.coordinator));
    slowly();
    const inputs = await checked(DISC, { files: FILES });
    const failed = expect(other.client.create({ urn: DISC }, inputs)).rejects.toThrow(/cancelled/);
    await sleep(1_000);
    await other.client.cancel();
    await failed;
    expect(await pool.leftovers()).toEqual(nothing);
    await expect(other.client.create({ urn: DISC }, inputs)).rejects.toThrow(/cancelled/);
    expect(await pool.leftovers()).toEqual(nothing);

    // Another engine attaches to the same process.
    await other.client.handshake(settingsOf(pool.coordinator));
    const { id, outs } = await other.client.create({ urn: DISC }, inputs);
    await other.client.delete({ urn: DISC, id }, outs);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

test("a create that cannot be undone reports what it left, and a delete takes that away", async () => {
  const effect = { kind: "fail", code: "INTERNAL_ERROR" } as const;
  pool.xapi.faults.push({ command: "sr-scan", effect }, { command: "sr-forget", effect });
  const inputs = await checked(DISC, { files: FILES });
  const failed = plugin.client.create({ urn: DISC }, inputs).then(
    () => undefined,
    (error: unknown) => error as InitFailure,
  );
  const { id = "", properties = {}, reasons } = (await failed) ?? {};
  expect(reasons).toEqual([expect.stringMatching(/Could not be undone: the SR of/)]);
  expect(properties).toMatchObject({ status: "incomplete", files: FILES });
  expect(String(properties["srPath"])).toContain(id);
  await plugin.client.delete({ urn: DISC, id }, properties);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a delete that takes longer than customTimeouts fails, and the next one takes the rest", async () => {
  const { id, outs } = await plugin.client.create({ urn: DISC }, await checked(DISC, { files: FILES }));
  pool.xapi.faults.push({ command: "sr-forget", effect: { kind: "delay", ms: 3_000, when: "before" } });
  await expect(plugin.client.delete({ urn: DISC, id, timeoutSeconds: 1 }, outs)).rejects.toThrow(
    /The delete did not end within 1 s/,
  );
  await plugin.client.delete({ urn: DISC, id }, outs);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a disc is attached, found by getDiscs, and released", async () => {
  const { client } = plugin;
  const { vm } = addVm(pool, { powerState: "running", drives: [{}] });
  const [attachment, release] = [urnOf("IsoAttachment"), urnOf("IsoRelease")];
  const disc = await client.create({ urn: DISC }, await checked(DISC, { files: FILES, once: true }));
  const { srUuid, srName, vdiUuid } = disc.outs;
  await client.create(
    { urn: attachment },
    await checked(attachment, { vmUuid: vm.uuid, vdiUuid, once: true }),
  );
  expect(drivesOf(pool, vm)).toEqual([`3: ${String(disc.outs["isoName"])}`]);

  const { values } = await client.invoke("xen:index:getDiscs", {});
  expect(values).toMatchObject({
    hostUuid: disc.outs["hostUuid"],
    discs: [{ state: "live", owner: DISC, srUuid, srName, isUnderWay: false, vmUuids: [vm.uuid] }],
  });

  const made = await client.create({ urn: release }, await checked(release, { srUuid, after: "10.0.0.1" }));
  expect(made.id).toBe(srUuid);
  expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
  expect(await pool.leftovers()).toEqual(nothing);
  const found = await client.read({ urn: DISC, id: disc.id }, disc.outs);
  expect(found.props).toMatchObject({ status: "released" });
});

test("a disc of a whole pool is made, read and released on every host, and says which they are", async () => {
  await using three = await startPool({ transport: "embedded", hosts: 3 });
  await using other = await PluginProcess.start(settingsOf(three.coordinator));
  const { client } = other;
  const hostConnections = hostConnectionsOf(three);
  const args = { files: FILES, poolWide: true, skipOfflineHosts: false, hostConnections, once: true };
  const inputs = async (urn: string, given: Record<string, unknown>) => {
    const { inputs, failures } = await client.check(urn, {}, given);
    expect(failures).toEqual([]);
    return inputs;
  };
  const planned = await inputs(DISC, args);
  expect((await client.preview(DISC, planned))["hosts"]).toBe(UNKNOWN);
  const { id, outs } = await client.create({ urn: DISC }, planned);
  expect(outs).toMatchObject({
    status: "ready",
    poolWide: true,
    hosts: three.hosts.map(({ uuid, name, connection: { host, hostKey } }) => ({
      uuid,
      name,
      address: host,
      pbdUuid: three.xapi.pbds.find(({ hostUuid }) => hostUuid === uuid)?.uuid,
      hostKey,
    })),
  });
  expect((await client.read({ urn: DISC, id }, outs)).props).toMatchObject({ status: "ready" });
  const release = urnOf("IsoRelease");
  const released = await inputs(release, { srUuid: outs["srUuid"], hostConnections });
  await client.create({ urn: release }, released);
  expect(await three.leftovers()).toEqual(nothing);

  // A folder without SR, which only its own host shows.
  const folder = threeOf(three)[2].path("/var/opt/xen-iso/7b84f233-8aa3-468d-b254-fd585194da21");
  mkdirSync(folder, { mode: 0o700, recursive: true });
  const found = { state: "folder without SR", hostUuid: threeOf(three)[2].uuid };
  const seen = await client.invoke("xen:index:getDiscs", { hostConnections });
  expect(seen.values).toMatchObject({ discs: [found], missing: [] });
  const { xen3: _, ...two } = hostConnections;
  const unseen = await client.invoke("xen:index:getDiscs", { hostConnections: two });
  expect(unseen.values).toMatchObject({
    discs: [],
    missing: [{ name: "xen3", reason: expect.stringMatching(/host key/i) as string }],
  });
});

test.each(["IsoAttachment", "IsoRelease"])("%s cannot be imported, and says what to do", async (type) => {
  await expect(plugin.client.read({ urn: urnOf(type), id: "1f0c14c8" }, {})).rejects.toThrow(
    `xen:index:${type} cannot be imported. Let the program create it.`,
  );
});

test("an import of an SR that does not exist finds nothing", async () => {
  const id = "1f0c14c8-3b5e-4b8f-9d0b-0b6f6bb3a8a1";
  expect(await plugin.client.read({ urn: DISC, id }, {})).toEqual({ id: "", props: {} });
});

describe("a provider's settings", () => {
  test("a new password is a change that replaces nothing", async () => {
    const olds = { host: "xen1.example.net", password: "old" };
    expect(await plugin.client.diffConfig(olds, { ...olds, password: "new" })).toEqual({
      changes: true,
      replaces: [],
      paths: ["password"],
    });
    expect(await plugin.client.diffConfig(olds, olds)).toEqual({ changes: false, replaces: [], paths: [] });
  });

  test("an unknown one is refused by name", async () => {
    expect(await plugin.client.checkConfig({ hots: "xen1.example.net" })).toEqual([
      "xen:hots (stack configuration): is not a setting; did you mean host?",
    ]);
  });
});

test("a setting of an explicit provider is named as its property", async () => {
  await using other = await PluginProcess.start({ host: "xen2.example.net", port: "0", password: "x" });
  const urn = "urn:pulumi:dev::shop::pulumi:providers:xen::xen2";
  expect(await other.client.checkConfig({ hots: "x" }, urn)).toEqual([
    "hots of the provider xen2: is not a setting; did you mean host?",
  ]);
  const { failures } = await other.client.check(DISC, {}, { files: FILES });
  expect(failures.map(({ reason }) => reason)).toEqual([
    "port of the provider xen2: must be a whole number from 1 to 65535",
  ]);
});

describe("functions", () => {
  test("cloudInit makes the files of a disc, secret if an argument is", async () => {
    const args = { hostname: "web-1", userData: { packages: ["nginx"] } };
    const { values, isSecret } = await plugin.client.invoke("xen:index:cloudInit", args);
    expect(values["files"]).toEqual({
      "user-data": "#cloud-config\npackages:\n  - nginx\n",
      "meta-data": expect.stringMatching(
        /^instance-id: iid-[0-9a-f]{16}\nlocal-hostname: web-1\n$/,
      ) as string,
    });
    expect(isSecret("files")).toBe(false);
    const secrets = {
      isSecret: false,
      inside: new Map([["hostname", { isSecret: true, inside: new Map() }]]),
    };
    expect((await plugin.client.invoke("xen:index:cloudInit", args, secrets)).isSecret("files")).toBe(true);
  });

  test("cloudInit refuses an unknown argument by name", async () => {
    await expect(plugin.client.invoke("xen:index:cloudInit", { hostnam: "web-1" })).rejects.toThrow(
      /hostnam is not an argument; .*hostname/,
    );
  });

  test("neonInit makes a script with the line ends of Linux", async () => {
    const { values } = await plugin.client.invoke("xen:index:neonInit", {
      script: "#!/bin/bash\r\ntrue\r\n",
    });
    expect(values).toEqual({ files: { "neon-init.sh": "#!/bin/bash\ntrue\n" } });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["neonInit", {}, "neonInit: script: must be a string"],
    ["neonInit", { script: "", skript: "" }, "neonInit: skript: is not an argument; did you mean script?"],
    ["getDiscs", { conection: {} }, "getDiscs: conection: is not an argument; did you mean connection?"],
    ["getDiscs", { srMountPaths: ["/a/"] }, "getDiscs: srMountPaths: must be a list of absolute paths"],
    ["getDiscs", { srMountPaths: "/a" }, "getDiscs: srMountPaths: must be a list of absolute paths"],
  ])("%s refuses %j", async (name, args, message) => {
    await expect(plugin.client.invoke(`xen:index:${name}`, args)).rejects.toThrow(message);
  });

  test("an unknown function is refused by name", async () => {
    await expect(plugin.client.invoke("xen:index:getDisks", {})).rejects.toThrow(
      "xen:index:getDisks is not a function of this provider.",
    );
  });
});

test("there is no mapping from Terraform", async () => {
  expect(await plugin.client.mapping()).toEqual({ provider: "", bytes: 0 });
});

test("without a pipe as its stdin, the plugin serves, and ends after its engine", async () => {
  const { engine, address } = await startEngine();
  const main = resolve(__dirname, "../../dist/plugin/main.js");
  const child = spawn(process.execPath, [main, address], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const [port] = (await once(createInterface(child.stdout), "line")) as [string];
  const client = new PluginClient(Number(port));
  await client.handshake(settingsOf(pool.coordinator));
  const { id, outs } = await client.create({ urn: DISC }, await checked(DISC, { files: FILES }));
  await client.delete({ urn: DISC, id }, outs);
  client.close();
  engine.close();
  await exited;
  expect(await pool.leftovers()).toEqual(nothing);
});
