import { rmSync, writeFileSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { utils } from "ssh2";
import { beforeEach, describe, expect, test } from "vitest";
import { Gate } from "../faults/gate";
import { mountSmallDisc } from "../faults/small-disc";
import { type SimulatedHost, startPool } from "../simulator";
import { imageBytes, writeTemporary } from "../unit/image";
import { nothing } from "./pool";
import { markFolder } from "./pending";
import { argumentsFor, checked, createDisc, deleteDisc, setConfiguration } from "./resource";
import { tempIso } from "../../provider/lifecycle/provider";

const GIB = 1024 ** 3;

beforeEach(() => setConfiguration());

/** The arguments with another connection. */
function withConnection(args: Record<string, unknown>, change: object): Record<string, unknown> {
  return { ...args, connection: { ...(args["connection"] as object), ...change } };
}

/** What an upload under way has on the host: a folder, and a marker of a session that lives (this process). */
const markPending = (host: SimulatedHost, { owner, sizeBytes }: { owner: string; sizeBytes: number }) =>
  markFolder(host, "/var/opt/xen-iso/7b84f233-8aa3-468d-b254-fd585194da21", {
    owner,
    size: sizeBytes,
    isAlive: true,
  });

describe("a create that is refused says what to do, and leaves nothing", () => {
  test("a wrong password", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const args = withConnection(argumentsFor(pool.coordinator), { password: "wrong" });
    const message = /refused the login as root \(tried: password\)\. Check user, password/;
    await expect(createDisc(args)).rejects.toThrow(message);
    await expect(createDisc(args)).rejects.not.toThrow(/wrong/);
  });

  test("another host key than the one that was set: no password is sent", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const hostKey = utils.generateKeyPairSync("ed25519").public;
    const args = withConnection(argumentsFor(pool.coordinator), { hostKey });
    await expect(createDisc(args)).rejects.toThrow(
      /host key of .* does not match the one that was set: it is ssh-ed25519 SHA256:/,
    );
    expect(pool.coordinator.connections).toBe(0);
  });

  test("nothing listens", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const args = withConnection(argumentsFor(pool.coordinator), { dialErrorLimit: 2 });
    await pool.coordinator.stopSshd();
    await expect(createDisc(args)).rejects.toThrow(/Nothing listens for SSH at .*xe host-enable-ssh/);
  });

  test("a host without a toolstack", async () => {
    await using pool = await startPool({ transport: "embedded" });
    writeFileSync(pool.coordinator.path("/etc/xensource-inventory"), "");
    await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(
      /is not a XenServer or XCP-ng host/,
    );
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("no room on disk", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const space = { path: "/var/opt", totalBytes: 18 * GIB, availableBytes: 1.8 * GIB, type: "ext2/ext3" };
    pool.coordinator.setSpace(space);
    await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(
      /has no room for an image of 40 KiB/,
    );
    expect(pool.xapi.calls.filter(({ command }) => command === "sr-create")).toEqual([]);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("no room beside an upload under way", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const space = { path: "/var/opt", totalBytes: 18 * GIB, availableBytes: 4 * GIB, type: "ext2/ext3" };
    pool.coordinator.setSpace(space);
    markPending(pool.coordinator, { owner: "urn:pulumi:dev::other::t::n", sizeBytes: 3 * GIB });
    const message = /4\.0 GiB are available, of which uploads under way take 3\.0 GiB/;
    await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(message);
  });

  test("a disk that turns out to be full: the host's own words, and no more of them", async () => {
    await using pool = await startPool({ transport: "sshd" });
    mountSmallDisc(pool.coordinator, "/var/opt/xen-iso", { size: "32k", inodes: 100 });
    await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(
      /could not be put as .* The host says: dd: [^\n]*: No space left on device\nSee /,
    );
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("a marker that cannot be removed", async () => {
    await using pool = await startPool({ transport: "sshd" });
    await using gate = await Gate.await(pool.coordinator, { program: "rm", args: /^-f -- pending/ });
    const refused = expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(
      /^The marker in .* could not be removed.* The host says: rm: Read-only file system\nSee /,
    );
    (await gate.halted).fail("rm: Read-only file system");
    await refused;
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("no memory under /run", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const space = { path: "/run", totalBytes: 4 * GIB, availableBytes: 4 * GIB, type: "tmpfs" };
    pool.coordinator.setSpace(space);
    pool.coordinator.setMemory({ totalBytes: 8 * GIB, availableBytes: 0.9 * GIB });
    const args = argumentsFor(pool.coordinator, { srMountPath: "/var/run/sr-mount" });
    await expect(createDisc(args)).rejects.toThrow(
      /of memory are available.*set srMountPath to a folder on disk/,
    );
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("an image that changed since it was checked", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const isoPath = writeTemporary(imageBytes("before"));
    const inputs = await checked(argumentsFor(pool.coordinator, { isoPath }));
    await appendFile(isoPath, "after");
    await expect(tempIso.create(inputs as never)).rejects.toThrow(/changed while the program ran/);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("a folder that cannot be made", async () => {
    await using pool = await startPool({ transport: "embedded" });
    writeFileSync(pool.coordinator.path("/var/opt/xen-iso"), "a file stands in the way");
    await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(
      /could not be made.*The host says: mkdir/s,
    );
    expect(await readFile(pool.coordinator.path("/var/opt/xen-iso"), "utf8")).toBe(
      "a file stands in the way",
    );
  });

  test("an SR that xapi refuses", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const params = ["", "Invalid local path", ""];
    pool.xapi.faults.push({
      command: "sr-create",
      effect: { kind: "fail", code: "SR_BACKEND_FAILURE_226", params },
    });
    const message =
      /xe sr-create failed on .* \(SR_BACKEND_FAILURE_226\).*The host says: Error code: SR_BACKEND_FAILURE_226/s;
    await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(message);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("a PBD that cannot be plugged: the real error, which sr-create keeps to itself", async () => {
    await using pool = await startPool({ transport: "embedded" });
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "plugFails" } });
    const params = ["", "mount failed", ""];
    pool.xapi.faults.push({
      command: "pbd-plug",
      effect: { kind: "fail", code: "SR_BACKEND_FAILURE_73", params },
    });
    await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(/SR_BACKEND_FAILURE_73/);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe("a create goes on", () => {
  test("once another create of the same resource has ended", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const args = argumentsFor(pool.coordinator);
    const marker = markPending(pool.coordinator, { owner: String(args["owner"]), sizeBytes: 1 });
    const creating = createDisc(args);
    await sleep(1_000);
    expect(pool.xapi.calls).toEqual([]);
    rmSync(marker);
    await creating;
    expect(pool.xapi.srs).toHaveLength(1);
  });

  test("when the PBD was left unplugged and can be plugged", async () => {
    await using pool = await startPool({ transport: "embedded" });
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "plugFails" } });
    const state = await createDisc(argumentsFor(pool.coordinator));
    expect(pool.xapi.pbds.find(({ uuid }) => uuid === state.pbdUuid)?.currentlyAttached).toBe(true);
  });

  test("when the VDI comes late", async () => {
    await using pool = await startPool({ transport: "embedded" });
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "vdiLate", scans: 4 } });
    await createDisc(argumentsFor(pool.coordinator));
    expect(pool.xapi.calls.filter(({ command }) => command === "vdi-list").length).toBeGreaterThan(3);
  });

  test("when the toolstack restarts in between", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const creating = createDisc(argumentsFor(pool.coordinator));
    await pool.coordinator.restartToolstack({ downMs: 1_500, initialisingMs: 500 });
    await deleteDisc(await creating);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("when the answer of sr-create got lost: the SR is found, not made twice", async () => {
    await using pool = await startPool({ transport: "embedded" });
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "loseReply" } });
    const state = await createDisc(argumentsFor(pool.coordinator));
    expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([state.srUuid]);
  });
});
