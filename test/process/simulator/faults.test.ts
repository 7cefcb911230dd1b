import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Ref, type SimulatedPool, startPool } from "../../simulator";
import { Login, makeSr, runOn } from "./ssh";

const FOLDER = "/var/opt/xen-iso/a";
const CREATE = `sr-create name-label=discs type=iso content-type=iso device-config:location=${FOLDER} device-config:legacy_mode=true`;
const LOST = "Lost connection to the server.\n";

let pool: SimulatedPool;
let login: Login;
beforeEach(async () => {
  pool = await startPool({ transport: "embedded", latencyMs: 5 });
  login = await Login.to(pool.coordinator);
  await login.run(`mkdir -p ${FOLDER}; touch ${FOLDER}/a.iso`);
});
afterEach(async () => {
  await login[Symbol.asyncDispose]();
  await pool[Symbol.asyncDispose]();
});
const xe = (words: string) => login.run(`xe ${words}`);

describe("a fault", () => {
  it("befalls the calls it names, in turn, and does nothing", async () => {
    const { xapi, coordinator } = pool;
    const params = ["host", new Ref(coordinator.uuid)];
    xapi.faults.push({
      command: "host-list",
      when: (args) => args.isMinimal,
      skip: 1,
      effect: { kind: "fail", code: "OTHER_OPERATION_IN_PROGRESS", params },
    });
    expect((await xe("host-list")).status).toBe(0);
    expect((await xe("host-list --minimal")).status).toBe(0);
    expect((await xe("host-list --minimal")).stderr).toBe(
      "Another operation involving the object is currently in progress\n" +
        `class: host\nobject: ${coordinator.uuid} (xen1)\n` +
        "operation_type: <unknown>\noperation_ref: <unknown>\n",
    );
    expect((await xe("host-list --minimal")).status).toBe(0);
  });

  it("can lose a reply, before or after the call is done", async () => {
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "loseReply", when: "before" } });
    pool.xapi.faults.push({ command: "sr-create", skip: 1, effect: { kind: "loseReply" } });
    expect(await xe(CREATE)).toEqual({ status: 1, stdout: "", stderr: LOST });
    expect(pool.xapi.srs).toHaveLength(0);
    expect(await xe(CREATE)).toEqual({ status: 1, stdout: "", stderr: LOST });
    expect(pool.xapi.pbds).toMatchObject([{ currentlyAttached: true }]);
  });

  it("can keep a call from being answered, which killing xe does not cancel", async () => {
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "hang", when: "after" } });
    expect((await login.run(`timeout 0.5 xe ${CREATE}`)).status).toBe(124);
    expect(pool.xapi.srs).toHaveLength(1);
    expect(pool.xapi.calls.at(-1)?.status).toBeUndefined();
  });

  it("can let a call fail that is done", async () => {
    const params = ["Unix.Unix_error(EIO)"];
    pool.xapi.faults.push({
      command: "sr-create",
      effect: { kind: "fail", code: "INTERNAL_ERROR", params, when: "after" },
    });
    expect((await xe(CREATE)).stderr).toBe(
      "Error code: INTERNAL_ERROR\nError parameters: Unix.Unix_error(EIO)\n",
    );
    expect(pool.xapi.pbds).toMatchObject([{ currentlyAttached: true }]);
  });

  it("can let a call fail at once that is carried out all the same", async () => {
    const params = [new Ref(pool.coordinator.uuid)];
    pool.xapi.faults.push({
      command: "sr-create",
      effect: { kind: "fail", code: "CANNOT_CONTACT_HOST", params, when: "meanwhile" },
    });
    pool.xapi.storage.attachMs = 300;
    expect((await xe(CREATE)).stderr).toMatch(/^Cannot forward messages/);
    expect(pool.xapi.pbds).toMatchObject([{ currentlyAttached: false }]);
    await expect.poll(() => pool.xapi.pbds[0]?.currentlyAttached).toBe(true);
  });

  it("can say what xe itself says", async () => {
    pool.xapi.faults.push({
      command: "host-list",
      effect: { kind: "say", words: "Unable to contact server." },
    });
    expect(await xe("host-list")).toEqual({ status: 1, stdout: "", stderr: "Unable to contact server.\n" });
  });

  it("can answer late what is done at once", async () => {
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "delay", ms: 400, when: "after" } });
    const creating = xe(CREATE);
    await expect.poll(() => pool.xapi.pbds[0]?.currentlyAttached).toBe(true);
    expect(pool.xapi.calls.at(-1)?.status).toBeUndefined();
    expect((await creating).status).toBe(0);
  });

  it("can delay a call", async () => {
    pool.xapi.faults.push({ command: "host-list", effect: { kind: "delay", ms: 200 } });
    await xe("host-list");
    expect(pool.xapi.calls.at(-1)?.durationMs).toBeGreaterThanOrEqual(195);
  });

  it("can leave the PBD unplugged without a word", async () => {
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "plugFails" } });
    expect((await xe(CREATE)).status).toBe(0);
    expect(pool.xapi.pbds).toMatchObject([{ currentlyAttached: false }]);
    expect((await xe(`pbd-plug uuid=${pool.xapi.pbds[0]?.uuid}`)).status).toBe(0);
    expect(pool.xapi.pbds).toMatchObject([{ currentlyAttached: true }]);
  });

  it("can hide the disc from the next scans", async () => {
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "vdiLate", scans: 2 } });
    const { stdout } = await xe(CREATE);
    const found: number[] = [];
    for (let scan = 0; scan < 3; scan++) {
      await xe(`sr-scan uuid=${stdout.trim()}`);
      found.push(pool.xapi.vdis.length);
    }
    expect(found).toEqual([0, 0, 1]);
  });
});

describe("a toolstack", () => {
  it("that restarts refuses, then says it is starting, and plugs all PBDs", async () => {
    const { pbd } = await makeSr(pool.coordinator);
    const restarted = pool.coordinator.restartToolstack({ downMs: 300, initialisingMs: 300 });
    expect((await xe("host-list")).stderr).toBe("Error: Connection refused (calling connect )\n");
    const record = pool.xapi.pbds.find(({ uuid }) => uuid === pbd);
    if (record) record.currentlyAttached = false;
    await expect
      .poll(async () => (await xe("host-list")).stderr)
      .toBe("The host toolstack is still initialising. Please wait.\n");
    await restarted;
    expect((await xe("host-list")).status).toBe(0);
    expect(record?.currentlyAttached).toBe(true);
  });

  it("that stops loses the reply of a call under way, which is done all the same", async () => {
    pool.xapi.storage.attachMs = 200;
    const creating = xe(CREATE);
    await expect.poll(() => pool.xapi.srs).toHaveLength(1);
    await pool.coordinator.restartToolstack();
    expect((await creating).stderr).toBe(LOST);
    await expect.poll(() => pool.xapi.pbds[0]?.currentlyAttached).toBe(true);
  });

  it.each([
    ["nothing", 0, 0],
    ["srWithoutPbd", 1, 0],
    ["unpluggedSr", 1, 1],
  ] as const)("that dies in sr-create can leave %s", async (leaves, srs, pbds) => {
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "crash", leaves, downMs: 20 } });
    expect(await xe(CREATE)).toEqual({ status: 1, stdout: "", stderr: LOST });
    await expect.poll(async () => (await xe("host-list")).status).toBe(0);
    expect(pool.xapi.srs).toHaveLength(srs);
    expect(pool.xapi.pbds.filter((pbd) => pbd.currentlyAttached)).toHaveLength(pbds);
  });

  it("may be restarted by several at once: each loses the replies of that time", async () => {
    const { coordinator, xapi } = pool;
    const restarts = [
      coordinator.restartToolstack({ downMs: 50 }),
      coordinator.restartToolstack({ downMs: 300 }),
    ];
    await restarts[0];
    xapi.faults.push({ command: "host-list", effect: { kind: "hang", when: "before" } });
    const hanging = xe("host-list");
    await restarts[1];
    await expect.poll(() => xapi.calls).toHaveLength(1);
    await coordinator.restartToolstack();
    expect((await hanging).stderr).toBe(LOST);
    expect((await xe("host-list")).status).toBe(0);
  });

  it("attaches one SR at a time on a host", async () => {
    pool.xapi.storage.attachMs = 100;
    const startedAt = Date.now();
    await Promise.all([xe(CREATE), xe(CREATE), xe(CREATE)]);
    // Each is created and then plugged.
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(590);
  });
});

describe("a pool of several hosts", () => {
  it("wants to be told on which host an SR is made, and makes it there", async () => {
    await using several = await startPool({ transport: "embedded", hosts: 2 });
    const [first, second] = several.hosts;
    if (!first || !second) throw new Error("two hosts were asked for");
    await runOn(second, `mkdir -p ${FOLDER}`);
    expect((await runOn(second, `xe ${CREATE}`)).stderr).toBe(
      "Error: Required parameter not found: host-uuid\n",
    );
    expect((await runOn(second, `xe ${CREATE} host-uuid=${first.uuid}`)).stderr).toMatch(/FAILURE_226/);
    expect((await runOn(second, `xe ${CREATE} host-uuid=${second.uuid}`)).status).toBe(0);
    expect(several.xapi.pbds).toMatchObject([{ hostUuid: second.uuid }]);
    const [before] = several.xapi.pbds;
    await several.xapi.renewPbds(second.uuid);
    expect(several.xapi.pbds).toMatchObject([{ hostUuid: second.uuid, currentlyAttached: true }]);
    expect(several.xapi.pbds[0]?.uuid).not.toBe(before?.uuid);
  });

  it("has members that answer as their coordinator does, and coordinators that cannot reach a member", async () => {
    await using several = await startPool({ transport: "embedded", hosts: 2 });
    const [first, second] = several.hosts;
    if (!first || !second) throw new Error("two hosts were asked for");
    several.xapi.toolstack(second.uuid).isInEmergencyMode = true;
    expect((await runOn(second, "xe host-list")).stderr).toBe(
      "Cannot perform operation as the host is running in emergency mode.\n",
    );
    several.xapi.toolstack(second.uuid).stop();
    expect((await runOn(first, `xe ${CREATE} host-uuid=${second.uuid}`)).stderr).toMatch(
      /^Cannot forward messages because the server cannot be contacted.*\nhost: .* \(xen2\)\n$/,
    );
    several.xapi.toolstack(first.uuid).stop();
    expect((await runOn(second, "xe host-list")).stderr).toMatch(/Connection refused/);
  });

  it("scans in the background only on the coordinator, where it does so at all", async () => {
    await using several = await startPool({ transport: "embedded", hosts: 2, scan: "coordinator" });
    for (const host of several.hosts) {
      await runOn(
        host,
        `mkdir -p ${FOLDER}; touch ${FOLDER}/${host.name}.iso; xe ${CREATE} host-uuid=${host.uuid}`,
      );
    }
    await expect.poll(() => several.xapi.vdis.map((vdi) => vdi.nameLabel)).toEqual(["xen1.iso"]);
  });
});

describe("a VM", () => {
  it("does not start with a disc whose SR is not attached", async () => {
    const { pbd, sr, vdi } = await makeSr(pool.coordinator, "disc.iso", "/var/opt/xen-iso/b");
    const { vm } = pool.xapi.addVm({ name: "web", drives: [{ vdiUuid: vdi }] });
    await xe(`pbd-unplug uuid=${pbd}`);
    expect((await xe("vm-start vm=web")).stderr).toMatch(
      new RegExp(`^You attempted to run a VM .*\\nvm: ${vm.uuid} \\(web\\)\\nsr: ${sr} \\(discs\\)\\n$`),
    );
  });
});
