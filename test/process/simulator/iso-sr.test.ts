import { existsSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SimulatedPool, startPool } from "../../simulator";
import { Login, makeSr, type Ran } from "./ssh";

const FOLDER = "/var/opt/xen-iso/a";
const CREATE = `sr-create name-label=discs type=iso content-type=iso device-config:location=${FOLDER} device-config:legacy_mode=true`;

let pool: SimulatedPool;
let login: Login;
beforeEach(async () => {
  pool = await startPool({ transport: "embedded" });
  login = await Login.to(pool.coordinator);
  await login.run(`mkdir -p ${FOLDER}`);
});
afterEach(async () => {
  await login[Symbol.asyncDispose]();
  await pool[Symbol.asyncDispose]();
});
const xe = (words: string): Promise<Ran> => login.run(`xe ${words}`);
const inFolder = (script: string) => login.run(`cd ${FOLDER} && ${script}`);
const scanned = async () => {
  const [sr] = pool.xapi.srs;
  const ran = await xe(`sr-scan uuid=${sr?.uuid ?? ""}`);
  return { ...ran, names: pool.xapi.vdis.map((vdi) => vdi.nameLabel) };
};

describe("a scan", () => {
  it("takes .iso and .img files of any case, broken links, no folders and no names beyond ASCII", async () => {
    await xe(CREATE);
    await inFolder("touch b.ISO c.img d.txt é.iso && mkdir e.iso sub && touch sub/f.iso && ln -s none g.iso");
    expect((await scanned()).names).toEqual(["b.ISO", "c.img", "g.iso"]);
  });

  it("follows the folder: sizes as they are now, and no record of a file that is gone", async () => {
    await xe(CREATE);
    await inFolder("echo 123 >half.iso && touch gone.iso");
    await scanned();
    await inFolder("echo 4567 >>half.iso && rm gone.iso");
    expect(pool.xapi.vdis.map((vdi) => vdi.virtualSize)).toEqual([0, 4]);
    await scanned();
    expect(pool.xapi.vdis).toMatchObject([{ location: "half.iso", virtualSize: 9, readOnly: true }]);
  });

  it("gives a disc the UUID that begins its name, upper case kept, once in a pool", async () => {
    const uuid = "7B84F233-8aa3-468d-b254-fd585194da21";
    await xe(CREATE);
    await inFolder(`touch ${uuid}.iso.x.iso`);
    await scanned();
    expect(pool.xapi.vdis[0]?.uuid).toBe(uuid);
    await xe(CREATE);
    const again = await xe(`sr-scan uuid=${pool.xapi.srs[1]?.uuid}`);
    expect(again.stderr).toMatch(/^Error code: SR_BACKEND_FAILURE_40\n/);
  });

  it("renames the tools' disc", async () => {
    await xe(CREATE);
    await inFolder("touch xs-tools-8.iso");
    expect((await scanned()).names).toEqual(["xs-tools.iso"]);
  });

  it("fails where the folder is gone, and where no PBD is plugged", async () => {
    await xe(CREATE);
    await login.run(`rmdir ${FOLDER}`);
    expect((await scanned()).stderr).toBe(
      `Error code: SR_BACKEND_FAILURE_47\nError parameters: , The SR is not available [opterr=no such directory ${FOLDER}], \n`,
    );
    await xe(`pbd-unplug uuid=${pool.xapi.pbds[0]?.uuid}`);
    expect((await scanned()).stderr).toBe(
      `The SR has no attached PBDs\nsr: ${pool.xapi.srs[0]?.uuid} (discs)\n`,
    );
  });

  it("comes by itself only to a dirty SR", async () => {
    await inFolder("touch a.iso");
    await xe(CREATE);
    expect(pool.xapi.srs[0]?.otherConfig).toHaveProperty("dirty");
    expect(pool.xapi.vdis).toEqual([]);
    await pool.xapi.background.autoScan();
    expect(pool.xapi.vdis).toHaveLength(1);
    await inFolder("touch b.iso");
    await pool.xapi.background.autoScan();
    expect(pool.xapi.vdis).toHaveLength(1);
  });
});

describe("an SR", () => {
  it("leaves no record when its folder is missing", async () => {
    await login.run(`rmdir ${FOLDER}`);
    expect((await xe(CREATE)).status).toBe(1);
    expect(await pool.leftovers(["/var/opt/xen-iso"])).toEqual({ srs: [], pbds: [], vdis: [], paths: [] });
  });

  it("is forgotten with its records and without its files, once it is unplugged", async () => {
    const { sr, pbd } = await makeSr(pool.coordinator);
    await xe(`pbd-unplug uuid=${pbd}`);
    expect(await xe(`pbd-unplug uuid=${pbd}`)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await xe(`sr-forget uuid=${sr}`)).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await pool.leftovers()).toEqual({
      srs: [],
      pbds: [],
      vdis: [],
      paths: ["xen1:/var/opt/xen-iso/a", "xen1:/var/opt/xen-iso/a/disc.iso"],
    });
  });

  it("is not destroyed with a disc in it", async () => {
    const { sr, pbd } = await makeSr(pool.coordinator);
    await xe(`pbd-unplug uuid=${pbd}`);
    expect((await xe(`sr-destroy uuid=${sr}`)).stderr).toBe(
      "The SR operation cannot be performed because the SR is not empty.\n",
    );
  });

  it("is found by the exact text of its location", async () => {
    const { pbd } = await makeSr(pool.coordinator, "b.iso", "/run/sr-mount/b");
    const location = "pbd-list --minimal device-config:location";
    expect((await xe(`${location}=/run/sr-mount/b`)).stdout).toBe(`${pbd}\n`);
    expect((await xe(`${location}=/var/run/sr-mount/b`)).stdout).toBe("\n");
  });

  it("lets its name be changed only while it is attached, its other-config always", async () => {
    const { sr, pbd } = await makeSr(pool.coordinator);
    await xe(`sr-param-set uuid=${sr} name-label=new`);
    expect(pool.xapi.srs[0]?.nameLabel).toBe("new");
    await xe(`pbd-unplug uuid=${pbd}`);
    expect((await xe(`sr-param-set uuid=${sr} name-label=newer`)).stderr).toMatch(/no attached PBDs/);
    expect((await xe(`sr-param-set uuid=${sr} other-config:k=v`)).status).toBe(0);
  });

  it("loses the file of a disc that is destroyed", async () => {
    const { vdi } = await makeSr(pool.coordinator);
    expect((await xe(`vdi-destroy uuid=${vdi}`)).status).toBe(0);
    expect(existsSync(pool.coordinator.path(`${FOLDER}/disc.iso`))).toBe(false);
  });
});

describe("a drive", () => {
  it("takes and gives back a disc, of a running VM only where the SR is attached", async () => {
    const { sr, pbd, vdi } = await makeSr(pool.coordinator);
    const { drives } = pool.xapi.addVm({ name: "web", powerState: "running" });
    const drive = drives[0]?.uuid ?? "";
    expect(await xe(`vbd-insert uuid=${drive} vdi-uuid=${vdi}`)).toMatchObject({ status: 0 });
    expect((await xe(`vbd-insert uuid=${drive} vdi-uuid=${vdi}`)).stderr).toBe(
      `Operation could not be performed because the drive is not empty\nvbd: ${drive}\n`,
    );
    expect((await xe(`pbd-unplug uuid=${pbd}`)).stderr).toBe(
      "This operation cannot be performed because this VDI is in use by some other operation\n" +
        `vdi: ${vdi} (disc.iso)\noperation: <unknown>\n`,
    );
    expect(await xe(`vbd-eject uuid=${drive}`)).toMatchObject({ status: 0 });
    expect((await xe(`vbd-eject uuid=${drive}`)).stderr).toMatch(/the drive is empty/);
    await xe(`pbd-unplug uuid=${pbd}`);
    expect((await xe(`vbd-insert uuid=${drive} vdi-uuid=${vdi}`)).stderr).toBe(
      `The SR is not attached.\nsr: ${sr} (discs)\n`,
    );
  });

  it("refuses while its VM is suspended, or holds the tray", async () => {
    const { vdi } = await makeSr(pool.coordinator);
    const suspended = pool.xapi.addVm({ name: "s", powerState: "suspended", drives: [{ vdiUuid: vdi }] });
    expect((await xe(`vbd-eject uuid=${suspended.drives[0]?.uuid}`)).stderr).toMatch(
      /expected: halted, running\nactual: suspended\n$/,
    );
    const locked = pool.xapi.addVm({ name: "l", powerState: "running", drives: [{ vdiUuid: vdi }] });
    const [drive] = locked.drives;
    if (drive) pool.xapi.lockTray(drive, { times: 1 });
    expect((await xe(`vbd-eject uuid=${drive?.uuid}`)).stderr).toMatch(/locked the DVD drive tray/);
    expect((await xe(`vbd-eject uuid=${drive?.uuid}`)).status).toBe(0);
  });

  it("keeps naming a forgotten disc until it is emptied", async () => {
    const { sr, pbd, vdi } = await makeSr(pool.coordinator);
    const { drives } = pool.xapi.addVm({ name: "h", drives: [{ vdiUuid: vdi }] });
    const [drive] = drives;
    await login.run(`xe pbd-unplug uuid=${pbd} && xe sr-forget uuid=${sr}`);
    const { stdout } = await xe(`vbd-list uuid=${drive?.uuid} params=vdi-uuid,empty`);
    expect(stdout).toBe("vdi-uuid ( RO)    : <not in database>\n       empty ( RO): false\n\n\n");
    pool.xapi.background.collectGarbage();
    expect(drive?.empty).toBe(true);
  });

  it("of a snapshot is listed, and keeps nothing plugged; the snapshot is not", async () => {
    const { pbd, vdi } = await makeSr(pool.coordinator);
    const { vm } = pool.xapi.addVm({ name: "web", drives: [{ vdiUuid: vdi }] });
    pool.xapi.addSnapshot(vm);
    expect((await xe(`vbd-list vdi-uuid=${vdi} --minimal`)).stdout.split(",")).toHaveLength(2);
    expect((await xe("vm-list --minimal")).stdout).toBe(`${vm.uuid}\n`);
    expect((await xe(`pbd-unplug uuid=${pbd}`)).status).toBe(0);
  });

  it("does one thing at a time", async () => {
    const { vdi } = await makeSr(pool.coordinator);
    const { drives } = pool.xapi.addVm({ name: "web", drives: [{ vdiUuid: vdi }] });
    pool.xapi.driveMs = 300;
    const eject = `vbd-eject uuid=${drives[0]?.uuid}`;
    const both = await Promise.all([xe(eject), xe(eject)]);
    expect(both.map(({ status }) => status).sort()).toEqual([0, 1]);
    expect(both.map(({ stderr }) => stderr).join("")).toMatch(/^Another operation involving the object/);
  });

  it("is made and destroyed", async () => {
    const { vm } = pool.xapi.addVm({ name: "web", drives: [] });
    const made = await xe(`vbd-create vm-uuid=${vm.uuid} device=3 type=CD mode=RO`);
    expect(pool.xapi.vbds).toMatchObject([{ userdevice: "3", type: "CD", mode: "RO", empty: true }]);
    const again = await xe(`vbd-create vm-uuid=${vm.uuid} device=3 type=CD mode=RO`);
    expect(again.stderr).toBe("A device with the name given already exists on the selected VM\ndevice: 3\n");
    expect((await xe(`vbd-destroy uuid=${made.stdout.trim()}`)).status).toBe(0);
    expect(pool.xapi.vbds).toEqual([]);
  });

  it("is filled and emptied by the VM's name for it", async () => {
    await makeSr(pool.coordinator);
    const { vm, drives } = pool.xapi.addVm({ name: "web" });
    expect((await xe(`vm-cd-insert uuid=${vm.uuid} cd-name=disc.iso`)).status).toBe(0);
    expect(drives[0]?.empty).toBe(false);
    expect((await xe(`vm-cd-insert uuid=${vm.uuid} cd-name=disc.iso`)).stderr).toBe(
      `The VM has no empty CD drive (VBD).\nvm: ${vm.uuid} (web)\n`,
    );
    expect((await xe(`vm-cd-insert uuid=${vm.uuid} cd-name=none`)).stderr).toBe("Error: CD none not found\n");
    expect((await xe(`vm-cd-eject vm=web`)).status).toBe(0);
    await makeSr(pool.coordinator, "disc.iso", "/var/opt/xen-iso/b");
    expect((await xe(`vm-cd-insert uuid=${vm.uuid} cd-name=disc.iso`)).stderr).toBe(
      "Error: Multiple CDs named disc.iso found. Please use vbd-insert and specify uuids\n",
    );
  });
});

describe("the inventory", () => {
  it("says which host this is", () => {
    const inventory = readFileSync(pool.coordinator.path("/etc/xensource-inventory"), "utf8");
    expect(inventory).toContain(`INSTALLATION_UUID='${pool.coordinator.uuid}'\n`);
  });
});
