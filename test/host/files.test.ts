import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import type { IsoFiles } from "../../provider/iso/check";
import { tempIso } from "../../provider/lifecycle/provider";
import { seedImage } from "../seed-image";
import { type SimulatedHost, startPool } from "../simulator";
import { Proxy } from "../simulator/proxy";
import { writeTemporary } from "../unit/image";
import { nothing } from "./pool";
import { argumentsFor, checked, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

const MIB = 1024 ** 2;

beforeEach(() => setConfiguration());

function filesFor(host: SimulatedHost, files: IsoFiles): Record<string, unknown> {
  const { isoPath: _, ...args } = argumentsFor(host);
  return { ...args, files };
}

test.each(["embedded", "sshd"] as const)(
  "behind %s a disc is built from files, and is read and deleted without them",
  async (transport) => {
    await using pool = await startPool({ transport });
    const host = pool.coordinator;
    const local = writeTemporary(randomBytes(MIB + 1));
    const files = {
      "user-data": "#cloud-config\n",
      "big/Grüße.bin": { path: local },
      "meta-data": { base64: "AAEC/w==" },
    };
    const state = await createDisc(filesFor(host, files));

    const image = readFileSync(host.path(`${state.srPath}/${state.isoName}`));
    expect(image.equals(await seedImage(files))).toBe(true);
    expect(state).toMatchObject({ files, isoSize: image.length, status: "ready" });

    rmSync(local);
    await expect(readDisc(state)).resolves.toMatchObject({ props: state });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  },
);

test("an upload of a built image whose connection breaks goes on where the host has it", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const host = pool.coordinator;
  await using proxy = await Proxy.start(host.connection, { dropAfterBytes: 20 * MIB });
  const local = writeTemporary(randomBytes(16 * MIB));
  const files = { a: { path: local }, b: "text between", c: { path: local } };
  const args = filesFor(host, files);
  const { host: name, port } = proxy;
  const connection = { ...(args["connection"] as object), host: name, port };
  const state = await createDisc({ ...args, connection });
  const image = readFileSync(host.path(`${state.srPath}/${state.isoName}`));
  expect(image.equals(await seedImage(files))).toBe(true);
  expect(proxy.connections.length).toBeGreaterThan(1);
});

describe("a local file that changed after the preview", () => {
  test.each([
    ["and kept its size", (path: string) => writeFileSync(path, "CONTENT"), /changed while the program ran/],
    ["and grew", (path: string) => appendFileSync(path, "x".repeat(9000)), /changed while the program ran/],
    [
      "and is gone",
      (path: string) => rmSync(path),
      /"file" cannot be made: the local file .* cannot be read/,
    ],
  ])("%s makes no disc", async (_title, change, message) => {
    await using pool = await startPool({ transport: "embedded" });
    const path = writeTemporary(Buffer.from("content"));
    const inputs = await checked(filesFor(pool.coordinator, { file: { path } }));
    change(path);
    await expect(tempIso.create(inputs as never)).rejects.toThrow(message);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

test("an update keeps nothing of the arguments that a program gives no more", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const host = pool.coordinator;
  const state = await createDisc(filesFor(host, { "user-data": "#!hunter2\n" }));
  const { connection, isoPath } = argumentsFor(host) as { connection: object; isoPath: string };
  const configured = Object.entries(connection).map(([field, value]) => [`xen:${field}`, value] as const);
  await setConfiguration(Object.fromEntries(configured));
  const news = { ...(await checked({ isoPath, owner: state.owner })), isoSha256: state.isoSha256 };

  const { outs } = await tempIso.update("", state, news as never);
  expect(outs).toMatchObject({ isoPath, srUuid: state.srUuid, vdiUuid: state.vdiUuid });
  expect(outs).not.toHaveProperty("files");
  expect(outs).not.toHaveProperty("connection");
  await deleteDisc(outs!);
  expect(await pool.leftovers()).toEqual(nothing);
});
