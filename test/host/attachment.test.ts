import { beforeEach, describe, expect, test } from "vitest";
import type { CreatedButFailedError } from "../../provider/lifecycle/engine-error";
import type { IsoAttachmentState } from "../../provider/lifecycle/iso-attachment";
import {
  type SimulatedPool,
  type StartOptions,
  startPool,
  type VbdRecord,
  type VmRecord,
} from "../simulator";
import { Proxy } from "../simulator/proxy";
import { addVm, attach, attachmentArguments, change, detach, drivesOf, readAttachment } from "./drive";
import { argumentsFor, createDisc, deleteDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

/** A host with the discs a.iso and b.iso. */
async function start(options: Partial<StartOptions> = {}) {
  const pool = await startPool({ transport: "sshd", ...options });
  const [a, b] = await Promise.all([makeDisc(pool, "a.iso"), makeDisc(pool, "b.iso")]);
  return { pool, a, b, [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose]() };
}

/** The same, and c.iso, somebody else's, in the drive of a halted VM. */
async function startOccupied() {
  const site = await start();
  const c = await makeDisc(site.pool, "c.iso");
  const { vm, drive } = addVm(site.pool, { drives: [{ vdiUuid: c.vdiUuid! }] });
  return { ...site, c, vm, drive: drive! };
}

/** Each of a resource of its own: creates of one resource wait for each other. */
function makeDisc(pool: SimulatedPool, isoName: string) {
  const owner = `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::${isoName}`;
  return createDisc(argumentsFor(pool.coordinator, { isoName, owner }));
}

/** Does something just before the next call of a command is carried out. */
function before(pool: SimulatedPool, command: string, action: () => void): void {
  let isDone = false;
  const when = () => {
    if (!isDone) action();
    isDone = true;
    return true;
  };
  pool.xapi.faults.push({ command, when, effect: { kind: "delay", ms: 1 } });
}

/** Puts a disc into a drive, or takes it out, without asking anybody. */
function setDisc(drive: VbdRecord, vdiUuid: string | undefined): void {
  drive.vdiUuid = vdiUuid;
  drive.empty = vdiUuid === undefined;
}

const uuids = (pool: SimulatedPool, vm: VmRecord) => pool.xapi.vbdsOf(vm.uuid).map(({ uuid }) => uuid);

describe("an attachment", () => {
  test.each(["running", "halted", "paused"] as const)(
    "puts the disc into the drive of a %s VM, and takes it out again",
    async (powerState) => {
      await using site = await start();
      const { pool, a } = site;
      const { vm, drive } = addVm(pool, { powerState });
      const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
      const made = await attach(args);
      expect(drivesOf(pool, vm)).toEqual(["3: a.iso"]);
      expect(made).toMatchObject({
        id: `${vm.uuid}/${drive?.uuid}`,
        state: { vbdUuid: drive?.uuid, device: "3", driveCreated: false, hostKey: a.hostKey },
      });
      await expect(readAttachment(made.id, made.state)).resolves.toEqual({ id: made.id, props: made.state });
      await expect(change(made, args)).resolves.toMatchObject({ changes: false });
      await detach(made.state);
      expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
    },
  );

  test("takes four calls of xe", async () => {
    await using site = await start();
    const { vm } = addVm(site.pool);
    site.pool.xapi.calls.length = 0;
    await attach(attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid }));
    expect(site.pool.xapi.calls.map(({ command }) => command).sort()).toEqual([
      ...["vbd-insert", "vbd-list", "vdi-list", "vm-list"],
    ]);
  });

  test.each([
    ["3", []],
    ["2", [{ type: "Disk", userdevice: "3" }]],
  ] as const)(
    "makes a drive in slot %s of a halted VM that has none, and destroys it",
    async (slot, drives) => {
      await using site = await start();
      const { pool, a } = site;
      const { vm } = addVm(pool, { drives });
      const made = await attach(attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid }));
      expect(drivesOf(pool, vm)).toEqual([`${slot}: a.iso`]);
      expect(made.state).toMatchObject({ device: slot, driveCreated: true });
      await detach(made.state);
      expect(drivesOf(pool, vm)).toEqual([]);
      expect(uuids(pool, vm)).toHaveLength(drives.length);
    },
  );

  test("leaves the drive that it made, empty, in a VM that runs", async () => {
    await using site = await start();
    const { vm } = addVm(site.pool, { drives: [] });
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid });
    const { state } = await attach(args);
    site.pool.xapi.startVm(vm);
    await detach(state);
    expect(drivesOf(site.pool, vm)).toEqual(["3: empty"]);
  });

  test("leaves the drive that it made where somebody else's disc is in it", async () => {
    await using site = await start();
    const { vm } = addVm(site.pool, { drives: [] });
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid });
    const { state } = await attach(args);
    setDisc(site.pool.xapi.vbd(state.vbdUuid!), site.b.vdiUuid);
    await detach(state);
    expect(drivesOf(site.pool, vm)).toEqual(["3: b.iso"]);
  });

  test("goes to the slot that the program names, and makes a drive there", async () => {
    await using site = await start();
    const { pool, a, b } = site;
    const { vm } = addVm(pool, { drives: [{}, {}] });
    await attach(attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid, device: "4" }));
    expect(drivesOf(pool, vm)).toEqual(["3: empty", "4: a.iso"]);
    await attach(attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: b.vdiUuid, device: "1" }));
    expect(drivesOf(pool, vm)).toEqual(["3: empty", "4: a.iso", "1: b.iso"]);
  });

  test("takes over a disc that is in the drive already, as a killed create leaves it", async () => {
    await using site = await start();
    const { pool, a, b } = site;
    const { vm } = addVm(pool, { drives: [{}, { vdiUuid: a.vdiUuid! }, { vdiUuid: b.vdiUuid! }] });
    const { state } = await attach(attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid }));
    expect(drivesOf(pool, vm)).toEqual(["3: empty", "4: a.iso", "5: b.iso"]);
    await detach(state);
    expect(drivesOf(pool, vm)).toEqual(["3: empty", "4: empty", "5: b.iso"]);
  });

  test.each<[string, Parameters<typeof addVm>[1]]>([
    ["made", { powerState: "halted", drives: [] }],
    ["emptied", {}],
  ])("knows the drive that a killed create of the same resource %s", async (_what, some) => {
    await using site = await start();
    const { pool } = site;
    const { vdiUuid } = site.a;
    const theirs = await makeDisc(pool, "theirs.iso");
    const drives = [{ vdiUuid: theirs.vdiUuid! }];
    const { vm } = addVm(pool, { drives, ...some });
    const before = drivesOf(pool, vm);
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid, replaceMedia: true });
    await attach(args);

    // No state names it. Another resource in the VM takes nothing over.
    const { state: other } = await attach({ ...args, owner: `${String(args["owner"])}-2` });
    expect(other).toMatchObject({ driveCreated: false });
    expect(other).not.toHaveProperty("replacedVdiUuid");
    const { state } = await attach(args);
    await detach(state);
    expect(drivesOf(pool, vm)).toEqual(before);
    expect(vm.otherConfig).toEqual({});
  });

  test("does not take over what was done to the drive of a VM that this one was cloned from", async () => {
    await using site = await start();
    const { pool } = site;
    const { vdiUuid } = site.a;
    const { vm } = addVm(pool, { powerState: "halted", drives: [] });
    await attach(attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid }));
    const { vm: clone } = addVm(pool, { name: "web-2" });
    Object.assign(clone.otherConfig, vm.otherConfig);
    const { state } = await attach(attachmentArguments(pool, { vmUuid: clone.uuid, vdiUuid }));
    expect(state).toMatchObject({ driveCreated: false });
  });

  test("exchanges the disc in the same drive of the same VM", async () => {
    await using site = await start();
    const { pool, a, b } = site;
    const { vm } = addVm(pool, { powerState: "running" });
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    const made = await attach(args);
    const changed = await change(made, { ...args, vdiUuid: b.vdiUuid });
    expect(changed).toMatchObject({
      changes: true,
      state: { vdiUuid: b.vdiUuid, vbdUuid: made.state.vbdUuid, driveCreated: false },
    });
    expect(drivesOf(pool, vm)).toEqual(["3: b.iso"]);
    await detach(changed.state);
    expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
  });

  test("is reached in another way without touching the drive", async () => {
    await using site = await start();
    const { vm, drive } = addVm(site.pool);
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid, once: true });
    const made = await attach(args);
    setDisc(drive!, undefined);
    const { host, port, user, privateKey, hostKey } = site.pool.coordinator.connection;
    const connection = { host, port, user, privateKey, hostKey };
    const changed = await change(made, { ...args, connection });
    expect(changed).toMatchObject({ changes: true, state: { connection: { privateKey } } });
    expect(changed.state.connection).not.toHaveProperty("password");
    expect(drivesOf(site.pool, vm)).toEqual(["3: empty"]);
  });
});

describe("a drive with somebody else's disc in it", () => {
  test("is an error that names the disc", async () => {
    await using site = await startOccupied();
    const { pool, a, c, vm } = site;
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    await expect(attach(args)).rejects.toThrow(
      `The CD drive 3 of VM web-1 (${vm.uuid}) holds the disc c.iso (${c.vdiUuid}). Eject it, set replaceMedia`,
    );
    expect(drivesOf(pool, vm)).toEqual(["3: c.iso"]);
  });

  test("gets it back on delete with replaceMedia", async () => {
    await using site = await startOccupied();
    const { pool, a, b, vm } = site;
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid, replaceMedia: true });
    const made = await attach(args);
    expect(drivesOf(pool, vm)).toEqual(["3: a.iso"]);
    // It is remembered across an exchange.
    const { state } = await change(made, { ...args, vdiUuid: b.vdiUuid });
    expect(drivesOf(pool, vm)).toEqual(["3: b.iso"]);
    await detach(state);
    expect(drivesOf(pool, vm)).toEqual(["3: c.iso"]);
  });

  test("does not get it back when it is gone by then, or another one is in there", async () => {
    await using site = await startOccupied();
    const { pool, a, b, c, vm, drive } = site;
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid, replaceMedia: true });
    const { state } = await attach(args);
    setDisc(drive, b.vdiUuid);
    await detach(state);
    expect(drivesOf(pool, vm)).toEqual(["3: b.iso"]);
    setDisc(drive, a.vdiUuid);
    await deleteDisc(c);
    await detach(state);
    expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
  });

  test("gets it back at once when the disc cannot be inserted", async () => {
    await using site = await startOccupied();
    const { pool, a, vm } = site;
    const failure = {
      kind: "fail",
      code: "SR_BACKEND_FAILURE_46",
      params: ["", "The VDI is not available", ""],
    };
    pool.xapi.faults.push({ command: "vbd-insert", effect: failure as never });
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid, replaceMedia: true });
    await expect(attach(args)).rejects.toThrow(/SR_BACKEND_FAILURE_46/);
    expect(drivesOf(pool, vm)).toEqual(["3: c.iso"]);
  });
});

describe("what others do to the drive", () => {
  test("a disc that was ejected is found missing, and inserted again", async () => {
    await using site = await start();
    const { vm, drive } = addVm(site.pool);
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid });
    const made = await attach(args);
    setDisc(drive!, undefined);
    const { id, props } = await readAttachment(made.id, made.state);
    expect({ id, props }).toMatchObject({ id: made.id, props: { vdiUuid: "" } });
    const changed = await change({ id: made.id, state: props! }, args);
    expect(changed).toMatchObject({ changes: true, state: { vdiUuid: site.a.vdiUuid } });
    expect(drivesOf(site.pool, vm)).toEqual(["3: a.iso"]);
  });

  test("a disc that was ejected is no drift with once; a new one is inserted all the same", async () => {
    await using site = await start();
    const { vm, drive } = addVm(site.pool);
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid, once: true });
    const made = await attach(args);
    setDisc(drive!, undefined);
    await expect(readAttachment(made.id, made.state)).resolves.toEqual({ id: made.id, props: made.state });
    await expect(change(made, args)).resolves.toMatchObject({ changes: false });
    await change(made, { ...args, vdiUuid: site.b.vdiUuid });
    expect(drivesOf(site.pool, vm)).toEqual(["3: b.iso"]);
  });

  test("a delete is content with a disc that was ejected, and leaves another one alone", async () => {
    await using site = await start();
    const { vm, drive } = addVm(site.pool);
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid });
    const { state } = await attach(args);
    setDisc(drive!, undefined);
    await detach(state);
    expect(drivesOf(site.pool, vm)).toEqual(["3: empty"]);
    setDisc(drive!, site.b.vdiUuid);
    await detach(state);
    expect(drivesOf(site.pool, vm)).toEqual(["3: b.iso"]);
  });

  test("another disc in the drive is found, and exchanged only with replaceMedia", async () => {
    await using site = await start();
    const { pool, a, b } = site;
    const { vm, drive } = addVm(pool);
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    const made = await attach(args);
    setDisc(drive!, b.vdiUuid);
    const { props } = await readAttachment(made.id, made.state);
    expect(props).toMatchObject({ vdiUuid: b.vdiUuid });
    const found = { id: made.id, state: props! };
    await expect(change(found, args)).rejects.toThrow(/holds the disc b\.iso/);
    const { state } = await change(found, { ...args, replaceMedia: true });
    expect(drivesOf(pool, vm)).toEqual(["3: a.iso"]);
    await detach(state);
    expect(drivesOf(pool, vm)).toEqual(["3: b.iso"]);
  });

  test("a drive that was destroyed is dropped by a refresh, kept with once, and made anew", async () => {
    await using site = await start();
    const { pool, a, b } = site;
    const { vm } = addVm(pool);
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    const made = await attach(args);
    pool.xapi.vbds.splice(0);
    await expect(readAttachment(made.id, made.state)).resolves.toEqual({ id: "" });
    const once = { ...made.state, once: true };
    await expect(readAttachment(made.id, once)).resolves.toEqual({ id: made.id, props: once });
    await detach(made.state);
    // Without a refresh in between, an update makes it anew.
    const { state } = await change(made, { ...args, vdiUuid: b.vdiUuid });
    expect(drivesOf(pool, vm)).toEqual(["3: b.iso"]);
    expect(state).toMatchObject({ driveCreated: true });
    await detach(state);
    expect(drivesOf(pool, vm)).toEqual([]);
  });

  test("a VM that is gone takes the attachment with it", async () => {
    await using site = await start();
    const { vm } = addVm(site.pool);
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid, once: true });
    const made = await attach(args);
    site.pool.xapi.vms.splice(0);
    site.pool.xapi.vbds.splice(0);
    await expect(readAttachment(made.id, made.state)).resolves.toEqual({ id: "" });
    await detach(made.state);
    await expect(attach(args)).rejects.toThrow(`There is no VM ${vm.uuid} in the pool`);
  });

  test("a drive that is made by hand in between is used, and stays", async () => {
    await using site = await start();
    const { pool, a } = site;
    const { vm } = addVm(pool, { drives: [] });
    before(pool, "vbd-create", () => {
      const { vm: other, drives } = pool.xapi.addVm({ name: "other" });
      pool.xapi.vbds.splice(0, 1, { ...drives[0]!, vmUuid: vm.uuid });
      expect(uuids(pool, other)).toEqual([]);
    });
    const { state } = await attach(attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid }));
    expect(drivesOf(pool, vm)).toEqual(["3: a.iso"]);
    expect(state).toMatchObject({ driveCreated: false });
    await detach(state);
    expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
  });

  test("a disc that is inserted by hand in between is left alone, and named", async () => {
    await using site = await start();
    const { pool, a, b } = site;
    const { vm, drive } = addVm(pool);
    before(pool, "vbd-insert", () => {
      setDisc(drive!, b.vdiUuid);
    });
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    await expect(attach(args)).rejects.toThrow(/holds the disc b\.iso/);
    expect(drivesOf(pool, vm)).toEqual(["3: b.iso"]);
  });

  test("a drive that still names a forgotten disc is waited for", async () => {
    await using site = await start({ garbageCollectionDelayMs: 1_500 });
    const { pool, a, b } = site;
    const { vm } = addVm(pool, { drives: [{ vdiUuid: b.vdiUuid! }] });
    await pool.xapi.storage.detach(pool.xapi.pbdsOf(b.srUuid!)[0]!);
    pool.xapi.forgetSr(b.srUuid!);
    pool.xapi.background.afterForget();
    expect(drivesOf(pool, vm)).toEqual(["3: gone"]);
    await attach(attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid }));
    expect(drivesOf(pool, vm)).toEqual(["3: a.iso"]);
  });
});

describe("a guest that holds its disc", () => {
  test.each(["VBD_TRAY_LOCKED", "DEVICE_DETACH_REJECTED", "DEVICE_DETACH_TIMEOUT"] as const)(
    "is asked again (%s)",
    async (code) => {
      await using site = await start();
      const { pool, a, b } = site;
      const { vm, drive } = addVm(pool, { powerState: "running" });
      const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
      const made = await attach(args);
      pool.xapi.lockTray(drive!, { code, times: 1 });
      const { state } = await change(made, { ...args, vdiUuid: b.vdiUuid });
      expect(drivesOf(pool, vm)).toEqual(["3: b.iso"]);
      pool.xapi.lockTray(drive!, { code, times: 1 });
      await detach(state);
      expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
    },
  );
});

describe("an attachment is refused, and changes nothing, when", () => {
  test("the VM is suspended", async () => {
    await using site = await start();
    const { pool, a, b } = site;
    const { vm } = addVm(pool, { powerState: "suspended" });
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    await expect(attach(args)).rejects.toThrow(
      /xe vbd-insert failed .*VM_BAD_POWER_STATE.*Resume or shut down that VM, then run the command again.*web-1/s,
    );
    expect(drivesOf(pool, vm)).toEqual(["3: empty"]);

    pool.xapi.startVm(vm);
    const made = await attach(args);
    pool.xapi.stopVm(vm, "suspended");
    await expect(change(made, { ...args, vdiUuid: b.vdiUuid })).rejects.toThrow(
      /Resume or shut down that VM/,
    );
    await expect(detach(made.state)).rejects.toThrow(/Resume or shut down that VM/);
    expect(drivesOf(pool, vm)).toEqual(["3: a.iso"]);
  });

  test.each(["running", "suspended"] as const)("a %s VM has no drive", async (powerState) => {
    await using site = await start();
    const { vm } = addVm(site.pool, { powerState, drives: [] });
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid });
    await expect(attach(args)).rejects.toThrow(
      `The ${powerState} VM web-1 (${vm.uuid}) has no CD drive that it can use now, and gets one only while it is halted. Shut it down, then run`,
    );
    expect(uuids(site.pool, vm)).toEqual([]);
  });

  test("a running VM does not see its new drive yet", async () => {
    await using site = await start();
    const { vm, drive } = addVm(site.pool, { powerState: "running" });
    drive!.currentlyAttached = false;
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid });
    await expect(attach(args)).rejects.toThrow(/has no CD drive that it can use now/);
    expect(drivesOf(site.pool, vm)).toEqual(["3: empty"]);
  });

  test("the slot has a disk in it, or all are taken", async () => {
    await using site = await start();
    const { vm } = addVm(site.pool, { drives: [{ type: "Disk", userdevice: "3" }] });
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.vdiUuid, device: "3" });
    await expect(attach(args)).rejects.toThrow(/Slot 3 of VM web-1 .* has a disk in it/);
    const disks = ["0", "1", "2", "3"].map((userdevice) => ({ type: "Disk" as const, userdevice }));
    const { vm: full } = addVm(site.pool, { drives: disks });
    await expect(attach({ ...args, vmUuid: full.uuid, device: undefined })).rejects.toThrow(
      /has no CD drive, and its slots 0 to 3 are taken/,
    );
  });

  test("there is no such disc, or the VM is a snapshot", async () => {
    await using site = await start();
    const { vm } = addVm(site.pool);
    const args = attachmentArguments(site.pool, { vmUuid: vm.uuid, vdiUuid: site.a.srUuid });
    await expect(attach(args)).rejects.toThrow(`There is no disc ${site.a.srUuid} in the pool`);
    const snapshot = site.pool.xapi.addSnapshot(vm);
    await expect(attach({ ...args, vmUuid: snapshot.uuid, vdiUuid: site.a.vdiUuid })).rejects.toThrow(
      /There is no VM .* a snapshot is no VM/,
    );
  });

  test("the VM is protected by HA", async () => {
    await using site = await start();
    const { pool, a } = site;
    const { vm } = addVm(pool, { powerState: "running" });
    pool.xapi.pool.haEnabled = true;
    vm.haRestartPriority = "restart";
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    const advice = /The VM is protected by HA, and a disc of one host's own would pin it there/;
    await expect(attach(args)).rejects.toThrow(advice);
    pool.xapi.faults.push({
      command: "vbd-insert",
      effect: { kind: "fail", code: "HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", params: [a.srUuid!] },
    });
    await expect(attach(args)).rejects.toThrow(advice);
    expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
  });

  test("the VM runs on another host of the pool than the disc is on", async () => {
    await using site = await start({ hosts: 2 });
    const { pool, a } = site;
    const { vm } = addVm(pool, { powerState: "running", hostUuid: pool.hosts[1]!.uuid });
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    const advice =
      /The VM runs on a host of the pool that does not have the disc: make the disc on that host/;
    await expect(attach(args)).rejects.toThrow(advice);
    pool.xapi.faults.push({
      command: "vbd-insert",
      effect: { kind: "fail", code: "VM_REQUIRES_SR", params: [vm.uuid, a.srUuid!] },
    });
    await expect(attach(args)).rejects.toThrow(advice);
    expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
  });
});

describe("a lost reply is no reason to do it twice, or to forget it", () => {
  const commands = ["vbd-create", "vbd-insert", "vbd-eject", "vbd-destroy"];

  test.each(["before", "after"] as const)(
    "of a toolstack that ends %s the call is carried out",
    async (when) => {
      await using site = await start();
      const { pool, a, b } = site;
      const { vm } = addVm(pool, { drives: [] });
      for (const command of commands) pool.xapi.faults.push({ command, effect: { kind: "loseReply", when } });
      const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
      const made = await attach(args);
      expect(drivesOf(pool, vm)).toEqual(["3: a.iso"]);
      expect(made.state).toMatchObject({ driveCreated: true });
      const { state } = await change(made, { ...args, vdiUuid: b.vdiUuid });
      expect(drivesOf(pool, vm)).toEqual(["3: b.iso"]);
      await detach(state);
      expect(drivesOf(pool, vm)).toEqual([]);
    },
  );

  test("of a connection that breaks while the call goes on over there", async () => {
    await using site = await start();
    const { pool, a, b } = site;
    await using proxy = await Proxy.start(pool.coordinator.connection);
    const { vm } = addVm(pool, { drives: [] });
    for (const command of commands) {
      let isFirst = true;
      const drop = () => {
        if (isFirst) proxy.dropAll();
        isFirst = false;
        return true;
      };
      pool.xapi.faults.push({ command, when: drop, effect: { kind: "delay", ms: 700 } });
    }
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    const { host, port } = proxy;
    args["connection"] = { ...(args["connection"] as object), host, port };
    const made = await attach(args);
    expect(drivesOf(pool, vm)).toEqual(["3: a.iso"]);
    expect(made.state).toMatchObject({ driveCreated: true });
    const { state } = await change(made, { ...args, vdiUuid: b.vdiUuid });
    expect(drivesOf(pool, vm)).toEqual(["3: b.iso"]);
    await detach(state);
    expect(drivesOf(pool, vm)).toEqual([]);
    expect(proxy.connections.length).toBeGreaterThanOrEqual(commands.length);
  });
});

describe("a failure that cannot be undone is recorded", () => {
  const failure = {
    kind: "fail",
    code: "SR_BACKEND_FAILURE_46",
    params: ["", "The VDI is not available", ""],
  } as const;

  async function failureOf(work: Promise<unknown>): Promise<CreatedButFailedError> {
    return work.then(
      () => expect.unreachable(),
      (error: unknown) => error as CreatedButFailedError,
    );
  }

  test("a drive that was made: the next up replaces the attachment, and its delete clears the drive", async () => {
    await using site = await start();
    const { pool, a } = site;
    const { vm } = addVm(pool, { drives: [] });
    pool.xapi.faults.push(
      { command: "vbd-insert", effect: failure },
      { command: "vbd-destroy", effect: failure },
    );
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    const { id, properties, reasons } = await failureOf(attach(args));
    expect(reasons[0]).toMatch(/xe vbd-insert failed .*Could not be undone: what was done to CD drive 3/s);
    const state = properties as IsoAttachmentState;
    expect(id).toBe(`${vm.uuid}/${uuids(pool, vm)[0]}`);
    expect(state).toMatchObject({ status: "incomplete", driveCreated: true });
    await expect(readAttachment(id, state)).resolves.toMatchObject({ id, props: { status: "incomplete" } });
    await expect(change({ id, state }, args)).resolves.toMatchObject({ replaces: ["status"] });
    await detach(state);
    expect(drivesOf(pool, vm)).toEqual([]);
  });

  test("a drive that may have been made is found by its slot", async () => {
    await using site = await start();
    const { pool, a } = site;
    const { vm } = addVm(pool, { drives: [] });
    const lost = { kind: "loseReply" } as const;
    pool.xapi.faults.push(
      { command: "vbd-create", effect: lost },
      { command: "vm-list", skip: 1, times: 2, effect: failure },
    );
    const { id, properties } = await failureOf(
      attach(attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid })),
    );
    expect(id).toBe(`${vm.uuid}/3`);
    expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
    await detach(properties as IsoAttachmentState);
    expect(drivesOf(pool, vm)).toEqual([]);
  });

  test("a failed exchange: whichever of the two discs is in there is taken out, and the one before put back", async () => {
    await using site = await startOccupied();
    const { pool, a, b, vm, drive } = site;
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid, replaceMedia: true });
    const made = await attach(args);
    pool.xapi.faults.push({ command: "vbd-insert", times: 2, effect: failure });
    const { id, properties } = await failureOf(change(made, { ...args, vdiUuid: b.vdiUuid }));
    expect(id).toBe(made.id);
    const state = properties as IsoAttachmentState;
    for (const vdiUuid of [a.vdiUuid, b.vdiUuid]) {
      setDisc(drive, vdiUuid);
      await detach(state);
      expect(drivesOf(pool, vm)).toEqual(["3: c.iso"]);
    }
  });

  test("an exchange that fails leaves the disc that was there", async () => {
    await using site = await start();
    const { pool, a, b } = site;
    const { vm } = addVm(pool, { powerState: "running" });
    const args = attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: a.vdiUuid });
    const made = await attach(args);
    pool.xapi.faults.push({ command: "vbd-insert", effect: failure });
    await expect(change(made, { ...args, vdiUuid: b.vdiUuid })).rejects.toThrow(/SR_BACKEND_FAILURE_46/);
    expect(drivesOf(pool, vm)).toEqual(["3: a.iso"]);
  });
});
