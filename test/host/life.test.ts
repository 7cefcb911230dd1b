import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { SharedConnection } from "../../provider/ssh/shared-connection";
import { startPool } from "../simulator";
import { argumentsFor, checked, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";
import { nothing } from "./pool";
import { targetOf } from "./target";

beforeEach(() => setConfiguration());

describe.each(["embedded", "sshd"] as const)("behind %s", (transport) => {
  test("a disc is made, read, and taken away with nothing left", async () => {
    await using pool = await startPool({ transport });
    const host = pool.coordinator;
    const args = argumentsFor(host);
    const state = await createDisc(args);

    const sr = pool.xapi.srs.find(({ uuid }) => uuid === state.srUuid);
    expect(sr).toMatchObject({ nameLabel: state.srName });
    expect(sr?.nameDescription).toContain(String(args["owner"]));
    expect(pool.xapi.pbds.find(({ uuid }) => uuid === state.pbdUuid)).toMatchObject({
      currentlyAttached: true,
    });
    expect(pool.xapi.vdis.find(({ uuid }) => uuid === state.vdiUuid)).toMatchObject({
      nameLabel: state.isoName,
    });
    expect(state).toMatchObject({ status: "ready", hostUuid: host.uuid, hostKey: host.connection.hostKey });

    const file = host.path(`${state.srPath}/${state.isoName}`);
    expect(createHash("sha256").update(readFileSync(file)).digest("hex")).toBe(state.isoSha256);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(host.path(state.srPath)).mode & 0o777).toBe(0o700);

    await expect(readDisc(state)).resolves.toMatchObject({ id: state.srUuid, props: state });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
    await expect(readDisc(state)).resolves.toEqual({ id: "" });
  });

  test("a create takes one connection and four calls of xe", async () => {
    await using pool = await startPool({ transport });
    await createDisc(argumentsFor(pool.coordinator));
    expect(pool.coordinator.connections).toBe(1);
    expect(pool.xapi.calls.map(({ command }) => command).sort()).toEqual([
      "pbd-list",
      "sr-create",
      "sr-scan",
      "vdi-list",
    ]);
  });

  test("names and folder are those of the program", async () => {
    await using pool = await startPool({ transport });
    const names = { srName: "it's $(id) ü", isoName: "seed (1), a.iso", srMountPath: "/var/run/sr-mount" };
    const state = await createDisc(argumentsFor(pool.coordinator, names));
    expect(pool.xapi.srs.find(({ uuid }) => uuid === state.srUuid)?.nameLabel).toBe(names.srName);
    expect(pool.xapi.vdis.find(({ uuid }) => uuid === state.vdiUuid)?.nameLabel).toBe(names.isoName);
    expect(state.srPath).toMatch(/^\/var\/run\/sr-mount\/[0-9a-f-]{36}$/);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("two discs with the same name do not disturb each other", async () => {
    await using pool = await startPool({ transport });
    const args = argumentsFor(pool.coordinator, { isoName: "same.iso", srName: "same" });
    const [first, second] = await Promise.all([createDisc(args), createDisc(args)]);
    expect(first.vdiUuid).not.toBe(second.vdiUuid);
    await deleteDisc(first);
    await expect(readDisc(second)).resolves.toMatchObject({ props: { status: "ready" } });
    await deleteDisc(second);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("a start-up file of the root shell that prints does no harm", async () => {
    await using pool = await startPool({ transport, bashrc: "echo hello; echo oops >&2\n" });
    const state = await createDisc(argumentsFor(pool.coordinator));
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("other credentials are taken over without touching the host's objects", async () => {
    await using pool = await startPool({ transport });
    const host = pool.coordinator;
    const args = argumentsFor(host);
    const state = await createDisc(args);
    const calls = pool.xapi.calls.length;
    const { host: name, port, user, privateKey, hostKey } = host.connection;
    const news = await checked({ ...args, connection: { host: name, port, user, privateKey, hostKey } });
    const { outs } = await tempIso.update("", state, news as never);
    expect(pool.xapi.calls.length).toBe(calls);
    expect(outs).toMatchObject({ srUuid: state.srUuid, isoName: state.isoName, connection: { privateKey } });
    expect(outs?.connection).not.toHaveProperty("password");
    if (outs) await deleteDisc(outs);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

test("a .bashrc that prints late breaks SFTP with an error, not the program", async () => {
  await using pool = await startPool({ transport: "sshd", bashrc: "(sleep 0.5; echo noise, noise) &\n" });
  const { privateKey } = pool.coordinator.connection;
  const host = SharedConnection.to(targetOf(pool.coordinator, { privateKey }));
  await expect(host.sftp(() => sleep(5_000))).rejects.toMatchObject({ code: "SFTP_REFUSED" });
});

test("a .bashrc that reads standard input takes the image: then SFTP sends it", async () => {
  await using pool = await startPool({ transport: "sshd", bashrc: "cat >/dev/null\n", sftp: "internal" });
  const host = pool.coordinator;
  const state = await createDisc(argumentsFor(host));
  const file = readFileSync(host.path(`${state.srPath}/${state.isoName}`));
  expect(createHash("sha256").update(file).digest("hex")).toBe(state.isoSha256);
});

test("a connection that the program no longer gives is not kept", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const { connection, ...args } = argumentsFor(pool.coordinator);
  const state = await createDisc({ ...args, connection });
  const fields = Object.entries(connection as object).map(([name, value]) => [
    `xen:${name}`,
    value as unknown,
  ]);
  await setConfiguration(Object.fromEntries(fields));
  const news = (await checked(args)) as never;
  const { outs } = await tempIso.update("", state, news);
  expect(outs).not.toHaveProperty("connection");
  await expect(tempIso.diff("", outs as TempIsoState, news)).resolves.toMatchObject({ changes: false });
  await deleteDisc(outs as TempIsoState);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a disc that was stored with an old password is deleted with the one the program gives today", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const args = argumentsFor(pool.coordinator);
  const state = await createDisc(args);
  const stale = { ...state, connection: { ...state.connection, password: "of last year" } };
  await checked(args);
  await deleteDisc(stale);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("where today's password is for another login, the stored one still works", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const args = argumentsFor(pool.coordinator);
  const state = await createDisc(args);
  await checked({ ...args, connection: { ...(args["connection"] as object), password: "wrong" } });
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
});
