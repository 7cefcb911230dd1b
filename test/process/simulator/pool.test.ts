import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SimulatedHost, type SimulatedPool, startPool } from "../../simulator";
import { runOn } from "./ssh";

const FOLDER = "/var/opt/xen-iso/a";
const CREATE = `xe sr-create name-label=discs type=iso content-type=iso shared=true device-config:location=${FOLDER} device-config:legacy_mode=true`;

let pool: SimulatedPool;
beforeEach(async () => {
  pool = await startPool({ transport: "embedded", hosts: 3 });
});
afterEach(() => pool[Symbol.asyncDispose]());

const hostAt = (index: number): SimulatedHost => {
  const host = pool.hosts[index];
  if (!host) throw new Error(`There is no host ${index}.`);
  return host;
};

/** Puts the image on hosts. */
async function putImage(...hosts: readonly SimulatedHost[]): Promise<void> {
  for (const host of hosts) await runOn(host, `mkdir -p ${FOLDER} && echo content >${FOLDER}/disc.iso`);
}

/** Makes the shared SR, and scans it. */
async function makeSharedSr(): Promise<{ sr: string; vdi: string }> {
  const made = await runOn(hostAt(1), `sr=$(${CREATE}) && xe sr-scan uuid=$sr && echo $sr`);
  if (made.status !== 0) throw new Error(made.stderr);
  return { sr: made.stdout.trim(), vdi: pool.xapi.vdis[0]?.uuid ?? "" };
}

const pbdOf = (host: SimulatedHost) => pool.xapi.pbds.find((pbd) => pbd.hostUuid === host.uuid);

const attached = () =>
  pool.hosts.map((host) => pool.xapi.pbds.some((pbd) => pbd.hostUuid === host.uuid && pbd.currentlyAttached));

describe("a shared SR", () => {
  it("has a plugged PBD of the same folder on every host, and one disc", async () => {
    await putImage(...pool.hosts);
    await makeSharedSr();
    expect(pool.xapi.pbds.map(({ hostUuid }) => hostUuid)).toEqual(pool.hosts.map(({ uuid }) => uuid));
    expect(pool.xapi.pbds.map(({ deviceConfig }) => deviceConfig["location"])).toEqual([
      FOLDER,
      FOLDER,
      FOLDER,
    ]);
    expect(attached()).toEqual([true, true, true]);
    expect(pool.xapi.vdis).toMatchObject([{ location: "disc.iso" }]);
    expect((await runOn(hostAt(2), "xe sr-list params=host,shared")).stdout).toBe(
      "host ( RO)      : <shared>\n    shared ( RO): true\n\n\n",
    );
  });

  it("is made without a word of the host that lacks the folder", async () => {
    await putImage(hostAt(0), hostAt(1));
    expect(await runOn(hostAt(0), CREATE)).toMatchObject({ status: 0, stderr: "" });
    expect(attached()).toEqual([true, true, false]);
    const plugged = await runOn(hostAt(0), `xe pbd-plug uuid=${pbdOf(hostAt(2))?.uuid}`);
    expect(plugged.stderr).toMatch(/SR_BACKEND_FAILURE_226/);
  });

  it("leaves no record when the coordinator lacks the folder", async () => {
    await putImage(hostAt(1), hostAt(2));
    expect((await runOn(hostAt(1), CREATE)).stderr).toMatch(/SR_BACKEND_FAILURE_226/);
    expect([...pool.xapi.srs, ...pool.xapi.pbds]).toEqual([]);
  });

  it("is made while a host is offline, whose PBD stays unplugged", async () => {
    await putImage(hostAt(0), hostAt(1));
    await hostAt(2).powerOff();
    expect((await runOn(hostAt(0), CREATE)).status).toBe(0);
    expect(attached()).toEqual([true, true, false]);
    expect((await runOn(hostAt(0), `xe pbd-plug uuid=${pbdOf(hostAt(2))?.uuid}`)).stderr).toBe(
      `You attempted an operation which involves a host which could not be contacted.\nhost: ${hostAt(2).uuid} (xen3)\n`,
    );
  });

  it("can be left unplugged on one host", async () => {
    await putImage(...pool.hosts);
    pool.xapi.faults.push({
      command: "sr-create",
      effect: { kind: "plugFails", hostUuid: hostAt(1).uuid },
    });
    expect((await runOn(hostAt(0), CREATE)).status).toBe(0);
    expect(attached()).toEqual([true, false, true]);
  });

  it("is scanned on the coordinator alone, and by no other host in its place", async () => {
    await putImage(...pool.hosts);
    const { sr } = await makeSharedSr();
    await runOn(hostAt(1), `touch ${FOLDER}/other.iso`);
    await runOn(hostAt(1), `xe sr-scan uuid=${sr}`);
    expect(pool.xapi.vdis).toMatchObject([{ location: "disc.iso" }]);
    await runOn(hostAt(1), `xe pbd-unplug uuid=${pbdOf(hostAt(0))?.uuid}`);
    expect((await runOn(hostAt(1), `xe sr-scan uuid=${sr}`)).stderr).toBe(
      `The SR has no attached PBDs\nsr: ${sr} (discs)\n`,
    );
  });

  it("is forgotten only once every host has unplugged it", async () => {
    await putImage(...pool.hosts);
    const { sr } = await makeSharedSr();
    const unplug = (host: SimulatedHost) => runOn(host, `xe pbd-unplug uuid=${pbdOf(host)?.uuid}`);
    await unplug(hostAt(0));
    await unplug(hostAt(1));
    expect((await runOn(hostAt(0), `xe sr-forget uuid=${sr}`)).stderr).toMatch(/^The SR is still connected/);
    await unplug(hostAt(2));
    expect((await runOn(hostAt(0), `xe sr-forget uuid=${sr}`)).status).toBe(0);
    expect([...pool.xapi.srs, ...pool.xapi.pbds, ...pool.xapi.vdis]).toEqual([]);
  });
});

describe("a VM with a disc of a shared SR", () => {
  const start = (vdiUuid: string, hostUuid = hostAt(0).uuid) =>
    pool.xapi.addVm({ name: "web", powerState: "running", hostUuid, drives: [{ vdiUuid }] });

  it("migrates to a host that has plugged the SR and has the file, and keeps its disc", async () => {
    await putImage(...pool.hosts);
    const { vdi } = await makeSharedSr();
    const { vm, drives } = start(vdi);
    expect((await runOn(hostAt(0), "xe vm-migrate vm=web host=xen2 live=true")).status).toBe(0);
    expect(vm.residentOn).toBe(hostAt(1).uuid);
    expect(drives).toMatchObject([{ vdiUuid: vdi, empty: false, currentlyAttached: true }]);

    await runOn(hostAt(2), `rm ${FOLDER}/disc.iso`);
    expect((await runOn(hostAt(0), "xe vm-migrate vm=web host=xen3")).stderr).toMatch(
      /SR_BACKEND_FAILURE_46/,
    );
    await runOn(hostAt(0), `xe pbd-unplug uuid=${pbdOf(hostAt(0))?.uuid}`);
    expect((await runOn(hostAt(0), "xe vm-migrate vm=web host=xen1")).stderr).toMatch(
      /^You attempted to run a VM on a host which doesn't have access to an SR/,
    );
    expect(vm.residentOn).toBe(hostAt(1).uuid);
  });

  it("keeps the PBD of its own host plugged, and no other", async () => {
    await putImage(...pool.hosts);
    const { vdi } = await makeSharedSr();
    start(vdi, hostAt(1).uuid);
    expect((await runOn(hostAt(0), `xe pbd-unplug uuid=${pbdOf(hostAt(0))?.uuid}`)).status).toBe(0);
    expect((await runOn(hostAt(0), `xe pbd-unplug uuid=${pbdOf(hostAt(1))?.uuid}`)).stderr).toMatch(
      /in use by some other operation/,
    );
  });

  it("starts on the first host that can run it", async () => {
    await putImage(...pool.hosts);
    const { vdi } = await makeSharedSr();
    const { vm } = pool.xapi.addVm({ name: "web", drives: [{ vdiUuid: vdi }] });
    await runOn(hostAt(0), `xe pbd-unplug uuid=${pbdOf(hostAt(0))?.uuid}`);
    expect((await runOn(hostAt(0), "xe vm-start vm=web")).status).toBe(0);
    expect(vm.residentOn).toBe(hostAt(1).uuid);
  });

  it("is protected by HA where every host has plugged the SR, and restarted elsewhere", async () => {
    await putImage(...pool.hosts);
    const { sr, vdi } = await makeSharedSr();
    pool.xapi.pool.haEnabled = true;
    const { vm, drives } = pool.xapi.addVm({
      name: "web",
      powerState: "running",
      hostUuid: hostAt(2).uuid,
    });
    const insert = `xe vbd-insert uuid=${drives[0]?.uuid} vdi-uuid=${vdi}`;
    const protect = `xe vm-param-set uuid=${vm.uuid} ha-restart-priority=restart`;
    expect((await runOn(hostAt(0), `${protect} && ${insert}`)).status).toBe(0);
    await hostAt(2).powerOff();
    expect(vm).toMatchObject({ powerState: "running", residentOn: hostAt(0).uuid });

    // The lost host's PBD counts as unplugged, so that the SR is not properly shared any more.
    vm.haRestartPriority = "";
    expect((await runOn(hostAt(0), protect)).stderr).toBe(
      "This operation cannot be performed because the referenced SR is not properly shared. " +
        `The SR must both be marked as shared and a currently_attached PBD must exist for each host.\nSR: ${sr} (discs)\n`,
    );
    vm.haRestartPriority = "restart";
    if (drives[0]) Object.assign(drives[0], { empty: true, vdiUuid: undefined });
    expect((await runOn(hostAt(0), insert)).stderr).toMatch(/would invalidate VM failover planning/);
  });
});

describe("a host that joins", () => {
  it("gets a PBD for each shared SR, which stays unplugged without the folder", async () => {
    await putImage(...pool.hosts);
    await makeSharedSr();
    const joined = await pool.join();
    expect(pbdOf(joined)).toMatchObject({ currentlyAttached: false, deviceConfig: { location: FOLDER } });
    expect(pool.xapi.host(joined.uuid).enabled).toBe(true);
    await putImage(joined);
    await joined.restartToolstack();
    expect(pbdOf(joined)?.currentlyAttached).toBe(true);
  });

  it("is not enabled with HA on before all its PBDs are plugged", async () => {
    await putImage(...pool.hosts);
    await makeSharedSr();
    pool.xapi.pool.haEnabled = true;
    const joined = await pool.join();
    expect((await runOn(hostAt(0), `xe host-list enabled=false params=name-label`)).stdout).toBe(
      "name-label ( RW)    : xen4\n\n\n",
    );
    await putImage(joined);
    await joined.reboot();
    expect(pool.xapi.host(joined.uuid).enabled).toBe(true);
  });
});

describe("a host that is lost", () => {
  it("keeps its PBD, which nobody can unplug, until the pool forgets the host", async () => {
    await putImage(...pool.hosts);
    const { sr } = await makeSharedSr();
    const lost = hostAt(2);
    expect((await runOn(hostAt(0), `xe host-forget uuid=${lost.uuid}`)).stderr).toMatch(/still live/);
    await lost.powerOff();
    const unplug = await runOn(hostAt(0), `xe pbd-unplug uuid=${pbdOf(lost)?.uuid}`);
    expect(unplug.stderr).toMatch(/host which could not be contacted/);
    expect((await runOn(hostAt(0), `xe host-list host-metrics-live=false --minimal`)).stdout).toBe(
      `${lost.uuid}\n`,
    );
    expect((await runOn(hostAt(0), `xe host-forget uuid=${lost.uuid}`)).status).toBe(0);
    expect(pool.xapi.pbdsOf(sr).map(({ hostUuid }) => hostUuid)).toEqual([hostAt(0).uuid, hostAt(1).uuid]);
  });

  it("plugs what it can when it is back", async () => {
    await putImage(...pool.hosts);
    await makeSharedSr();
    await hostAt(1).powerOff();
    await hostAt(1).powerOn();
    expect(attached()).toEqual([true, true, true]);
    expect(pool.xapi.host(hostAt(1).uuid)).toMatchObject({ isLive: true, enabled: true });
  });

  it("that was the coordinator leaves members in emergency mode, until one takes over", async () => {
    await putImage(...pool.hosts);
    const { sr } = await makeSharedSr();
    const [first, second, third] = [hostAt(0), hostAt(1), hostAt(2)];
    await first.powerOff();
    expect((await runOn(third, "xe host-list")).stderr).toMatch(/emergency mode/);
    expect((await runOn(second, "xe pool-emergency-transition-to-master")).status).toBe(0);
    await expect
      .poll(async () => (await runOn(third, "xe pool-list --minimal params=master")).stdout)
      .toBe(`${second.uuid}\n`);
    expect(pool.coordinator).toBe(second);
    expect((await runOn(third, `xe sr-scan uuid=${sr}`)).status).toBe(0);
    await first.powerOn();
    expect((await runOn(first, "xe pool-list --minimal params=master")).stdout).toBe(`${second.uuid}\n`);
  });
});

describe("the link between coordinator and member", () => {
  it("that breaks ends a call with an error, while the member goes on", async () => {
    await putImage(...pool.hosts);
    await makeSharedSr();
    const unplugged = runOn(hostAt(0), `xe pbd-unplug uuid=${pbdOf(hostAt(1))?.uuid}`);
    pool.xapi.storage.attachMs = 300;
    await expect.poll(() => pool.xapi.calls.at(-1)?.command).toBe("pbd-unplug");
    hostAt(1).breakLink();
    expect((await unplugged).stderr).toMatch(
      /^Cannot forward messages because the server cannot be contacted/,
    );
    await expect.poll(() => pbdOf(hostAt(1))?.currentlyAttached).toBe(false);
  });

  it("does not carry the coordinator's own calls", async () => {
    await putImage(...pool.hosts);
    await makeSharedSr();
    pool.xapi.storage.attachMs = 300;
    const unplugged = runOn(hostAt(0), `xe pbd-unplug uuid=${pbdOf(hostAt(0))?.uuid}`);
    await expect.poll(() => pool.xapi.calls.at(-1)?.command).toBe("pbd-unplug");
    hostAt(0).breakLink();
    expect((await unplugged).status).toBe(0);
  });
});

describe("the hosts of a pool", () => {
  it.runIf(process.platform === "linux")("have addresses of their own and one port", async () => {
    await using real = await startPool({ transport: "sshd", hosts: 3 });
    const listed = await runOn(real.coordinator, "xe host-list params=address,enabled");
    const addresses = [...listed.stdout.matchAll(/address \( RO\): (.*)/g)].map(([, address]) => address);
    expect(addresses).toEqual(real.hosts.map(({ connection }) => connection.host));
    expect(new Set(addresses).size).toBe(3);
    expect(new Set(real.hosts.map(({ connection }) => connection.port)).size).toBe(1);
    for (const host of real.hosts)
      expect((await runOn(host, "cat /etc/hostname")).stdout).toBe(`${host.name}\n`);
  });
});
