import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { addVm, drivesOf } from "../host/drive";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { startExample } from "./examples";

const files = (hostname: string) => ({ "user-data": `#cloud-config\nhostname: ${hostname}\n` });

/** What a guest that is up answers with. */
async function listen(): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const portOf = (server: Server) => String((server.address() as AddressInfo).port);

/** A port at which nothing listens yet. */
async function freePort(): Promise<string> {
  const server = await listen();
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

test("a disc for one boot: in the drive until the VM is up, then gone, and nothing brings it back", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const { vm } = addVm(pool);
  const vmPort = await freePort();
  const config = { vmUuid: vm.uuid, vmAddress: "127.0.0.1", vmPort };
  await using example = await startExample("first-boot", pool.coordinator, config);
  const { stack } = example;
  await example.write(files("web-1"));

  // The VM is started once it has the disc in its drive, and after a while it answers.
  const up = stack.start("up");
  while (!pool.xapi.calls.some(({ command, status }) => command === "vbd-insert" && status === 0)) {
    await Promise.race([sleep(100), up.done.then(({ output }) => expect.unreachable(output))]);
  }
  expect(drivesOf(pool, vm)).toEqual([`3: ${pool.xapi.vdis[0]!.nameLabel}`]);
  pool.xapi.startVm(vm);
  expect(pool.xapi.srs).toHaveLength(1);
  const guest = createServer((socket) => socket.destroy()).listen(Number(vmPort), "127.0.0.1");
  const { status, output } = await up.done;
  expect(status, output).toBe(0);
  expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
  expect(await pool.leftovers()).toEqual(nothing);

  expect((await stack.refresh()).output).toContain("4 unchanged");
  const state = await stack.exportText();
  expect(state).toContain(`"status": "released"`);
  // What the release waited for, and how it got to the host, is not kept.
  const { resources = [] } = (await stack.export()).deployment;
  const release = resources.find(({ type }) => type.endsWith("xen:IsoRelease"));
  expect(Object.keys({ ...release?.inputs, ...release?.outputs }).sort()).toEqual([
    "__provider",
    "owner",
    "srUuid",
  ]);

  // A new value of `after`: another port at which it answers.
  const another = await listen();
  await stack.config("vmPort", portOf(another));
  expect((await stack.up()).output).toContain("4 unchanged");

  const calls = pool.xapi.calls.length;
  await example.write(files("web-2"));
  await stack.up();
  const inserted = pool.xapi.calls.slice(calls).filter(({ command }) => command === "vbd-insert");
  expect(inserted).toMatchObject([{ status: 0 }]);
  expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
  expect(await pool.leftovers()).toEqual(nothing);

  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
  guest.close();
  another.close();
});
