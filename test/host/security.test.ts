import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Server, utils } from "ssh2";
import { beforeEach, describe, expect, test } from "vitest";
import { mountSmallDisc } from "../faults/small-disc";
import { type SimulatedHost, startPool } from "../simulator";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

const SR_MOUNT_PATH = "/var/opt/xen-iso";

beforeEach(() => setConfiguration());

describe("where srMountPath is a link", () => {
  test("since the disc was made: nothing behind it is removed, whatever has the same name", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const state = await createDisc(argumentsFor(host));
    const { mountPath, elsewhere } = swapForLink(host);
    await expect(deleteDisc(state)).rejects.toThrow(
      /could not be removed\. Remove what is in it.*The host says: \/var\/opt\/xen-iso is a link to \/var\/opt\/elsewhere\./s,
    );
    expect(readdirSync(join(elsewhere, state.srPath.slice(SR_MOUNT_PATH.length)))).toContain(state.isoName);

    // The folder is put back: the next destroy takes it.
    renameSync(mountPath, `${mountPath}-link`);
    renameSync(elsewhere, mountPath);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("and has nothing of the disc behind it: there is nothing to remove", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const state = await createDisc(argumentsFor(host));
    const { elsewhere } = swapForLink(host);
    renameSync(join(elsewhere, state.srPath.slice(SR_MOUNT_PATH.length)), `${elsewhere}-away`);
    await deleteDisc(state);
    expect(pool.xapi.srs).toEqual([]);
  });

  test("from the beginning: the create says so, because a delete could not tell it from one that was swapped", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    mkdirSync(host.path(SR_MOUNT_PATH));
    const { elsewhere } = swapForLink(host);
    await expect(createDisc(argumentsFor(host))).rejects.toThrow(
      /could not be made on .*set another srMountPath.*\/var\/opt\/xen-iso is a link to \/var\/opt\/elsewhere\./s,
    );
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test("in one of its parents, as /var/run is on every host: all goes on", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const state = await createDisc(argumentsFor(pool.coordinator, { srMountPath: "/var/run/sr-mount" }));
    await expect(readDisc(state)).resolves.toMatchObject({ props: { status: "ready" } });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

test("a folder that something is mounted on is not looked into, whatever it holds", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const host = pool.coordinator;
  const args = argumentsFor(host, { srMountPath: "/var/run/sr-mount" });
  const mounted = "/run/sr-mount/7b84f233-8aa3-468d-b254-fd585194da21";
  mountSmallDisc(host, mounted, { size: "1m", inodes: 10 });
  const marker = host.path(`${mounted}/pending`);
  writeFileSync(marker, `owner=${String(args["owner"])}\niso=x.iso\nsize=1\nsession=1\nstarted=then\n`);
  await deleteDisc(await createDisc(args));
  expect(existsSync(marker)).toBe(true);
});

test("the marker of a create under way is root's alone, and holds no secret", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const host = pool.coordinator;
  pool.xapi.faults.push({ command: "sr-create", effect: { kind: "delay", ms: 2_000 } });
  const creating = createDisc(argumentsFor(host));
  while (pool.xapi.calls.length === 0) await sleep(20);
  const [folder = ""] = readdirSync(host.path(SR_MOUNT_PATH));
  const marker = host.path(`${SR_MOUNT_PATH}/${folder}/pending`);
  expect(readFileSync(marker, "utf8")).toMatch(/^owner=urn:pulumi:/);
  expect(readFileSync(marker, "utf8")).not.toContain(host.connection.password);
  expect(statSync(marker).mode & 0o777).toBe(0o600);
  await creating;
});

describe("a man in the middle", () => {
  test("behind a jump host gets no credentials: the host's own key is asked for", async () => {
    await using pool = await startPool({ transport: "sshd" });
    await using impostor = await startImpostor();
    const jump = pool.coordinator;
    const { hostKey, password, ...args } = connectionOf(jump);
    const connection = {
      ...args,
      port: impostor.port,
      password,
      // The true host's.
      hostKey: utils.generateKeyPairSync("ed25519").public,
      proxy: { ...args, hostKey, password },
    };
    await expect(createDisc({ ...argumentsFor(jump), connection })).rejects.toThrow(
      /host key of 127\.0\.0\.1:\d+ does not match the one that was set/,
    );
    expect(impostor.connections()).toBe(1);
    expect(impostor.logins()).toEqual([]);
  });

  test("in the place of the jump host gets none either, not even the host's", async () => {
    await using pool = await startPool({ transport: "sshd" });
    await using impostor = await startImpostor();
    const { hostKey, ...args } = connectionOf(pool.coordinator);
    const connection = { ...args, hostKey, proxy: { ...args, port: impostor.port, hostKey } };
    await expect(createDisc({ ...argumentsFor(pool.coordinator), connection })).rejects.toThrow(
      `The host key of 127.0.0.1:${impostor.port} does not match the one that was set`,
    );
    expect(impostor.connections()).toBe(1);
    expect(impostor.logins()).toEqual([]);
  });
});

test("a host whose key was revoked gets no credentials, though the key is the one that was set", async () => {
  await using impostor = await startImpostor();
  await using pool = await startPool({ transport: "sshd" });
  const home = process.env["HOME"];
  process.env["HOME"] = mkdtempSync(join(tmpdir(), "home-"));
  try {
    mkdirSync(join(process.env["HOME"], ".ssh"), { mode: 0o700 });
    writeFileSync(join(process.env["HOME"], ".ssh", "known_hosts"), `@revoked * ${impostor.hostKey}\n`);
    const connection = {
      ...connectionOf(pool.coordinator),
      port: impostor.port,
      hostKey: impostor.hostKey,
    };
    await expect(createDisc({ ...argumentsFor(pool.coordinator), connection })).rejects.toThrow(/revoked/);
    expect(impostor.logins()).toEqual([]);
  } finally {
    process.env["HOME"] = home;
  }
});

/** Moves srMountPath away, with all that is in it, and has a link lead there; both paths are this machine's. */
function swapForLink(host: SimulatedHost): { mountPath: string; elsewhere: string } {
  const mountPath = host.path(SR_MOUNT_PATH);
  const elsewhere = host.path("/var/opt/elsewhere");
  renameSync(mountPath, elsewhere);
  symlinkSync("/var/opt/elsewhere", mountPath);
  return { mountPath, elsewhere };
}

/** The arguments' connection. */
function connectionOf({ connection }: SimulatedHost) {
  const { host, port, user, password, hostKey } = connection;
  return { host, port, user, password, hostKey, dialErrorLimit: 1 };
}

/** An SSH server with a key of its own, which takes down what is sent to log in. */
async function startImpostor() {
  const { private: privateKey, public: hostKey } = utils.generateKeyPairSync("ed25519");
  const logins: string[] = [];
  let connections = 0;
  const server = new Server({ hostKeys: [privateKey] }, (client) => {
    connections++;
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      logins.push(context.method);
      context.reject();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    hostKey,
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    logins: () => logins,
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
