import { describe, expect, test } from "vitest";
import { type FolderOnHost, type HostRecords, joinTempIsos } from "../../../provider/host/find-temp-isos";
import { nameDescriptionOf, parseNameDescription } from "../../../provider/host/name-description";

const owner = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::in folder web-1";
const uuid = "44468271-9e5b-463e-91d3-bcb67feb3a01";
const path = `/var/opt/xen-iso/${uuid}`;

const sr = { uuid: "sr-1", "name-label": "web-1", "name-description": nameDescriptionOf(owner, uuid) };
const pbd = {
  uuid: "pbd-1",
  "sr-uuid": "sr-1",
  "host-uuid": "host-1",
  "device-config": `location: ${path}; legacy_mode: true`,
  "currently-attached": "true",
};
const image = { name: "web-1.iso", sizeBytes: 40_960, ageSeconds: 5 };
const folder: FolderOnHost = {
  hostUuid: "host-1",
  folder: { srMountPath: "/var/opt/xen-iso", uuid },
  mode: "700",
  marker: undefined,
  image,
  hasOthers: false,
  releasedOwner: undefined,
  ageSeconds: 7,
};
const marker = { owner, isoName: "web-1.iso", isCopy: false, isUnderWay: true };

const records: HostRecords = {
  lookedAt: ["host-1"],
  isPool: false,
  isCreating: false,
  folders: [folder],
  srs: [sr],
  pbds: [pbd],
  vdis: [{ uuid: "vdi-1", "sr-uuid": "sr-1", "name-label": "web-1.iso", "virtual-size": "40960" }],
  vbds: [],
  vms: [],
};

const join = (more: Partial<HostRecords>) => joinTempIsos({ ...records, ...more });

test("a description is read as it was written, and nobody else's is", () => {
  expect(parseNameDescription(nameDescriptionOf(owner, uuid))).toEqual({ owner, folderUuid: uuid });
  expect(parseNameDescription("ISO files of the office")).toBeUndefined();
  expect(parseNameDescription("Temporary ISO of x in folder y (pulumi-xen-iso)")).toBeUndefined();
});

describe("a disc of a whole pool is", () => {
  const shared = { ...sr, shared: "true" };
  const elsewhere = { ...pbd, uuid: "pbd-2", "host-uuid": "host-2" };
  const unplugged = { ...pbd, "currently-attached": "false" };

  test("live when this host has it", () => {
    expect(join({ isPool: true, srs: [shared], pbds: [elsewhere, pbd] })).toMatchObject([
      { state: "live", isShared: true, isHere: true, hostUuid: "host-1" },
    ]);
  });

  test("partial, not a corpse, when this host lacks it and another one has it", () => {
    expect(join({ isPool: true, srs: [shared], pbds: [elsewhere, unplugged], folders: [] })).toMatchObject([
      { state: "partial", isHere: true },
    ]);
  });

  test("partial when another host that was looked at has lost its image", () => {
    const lookedAt = ["host-1", "host-2"];
    const inPool = { isPool: true, lookedAt, srs: [shared], pbds: [pbd, elsewhere] };
    expect(join(inPool)).toMatchObject([{ state: "partial", lackingHostUuids: ["host-2"] }]);
    const folders = [folder, { ...folder, hostUuid: "host-2" }];
    expect(join({ ...inPool, folders })).toMatchObject([
      { state: "live", lackingHostUuids: [], folderHostUuids: lookedAt },
    ]);
  });

  test("partial, not pending, when a copy to another host was cut off; without its SR, that is pending", () => {
    const copied = { ...folder, hostUuid: "host-2", marker: { ...marker, isCopy: true } };
    const lookedAt = ["host-1", "host-2"];
    const pbds = [pbd, { ...elsewhere, "currently-attached": "false" }];
    const inPool = { isPool: true, lookedAt, folders: [folder, copied] };
    expect(join({ ...inPool, srs: [shared], pbds })).toMatchObject([{ state: "partial", isUnderWay: true }]);
    expect(join({ ...inPool, srs: [], pbds: [] })).toMatchObject([{ state: "pending" }]);
  });

  test("a corpse when no host has attached it", () => {
    const both = [unplugged, { ...elsewhere, "currently-attached": "false" }];
    expect(join({ isPool: true, srs: [shared], pbds: both })).toMatchObject([{ state: "corpse" }]);
  });
});

describe("a disc is", () => {
  test("live when its SR is attached and its image there", () => {
    expect(join({})).toMatchObject([
      {
        state: "live",
        owner,
        srPath: path,
        sizeBytes: 40_960,
        ageSeconds: 5,
        isHere: true,
        isUnderWay: false,
      },
    ]);
  });

  test("pending while its folder has the marker, with an SR or without", () => {
    const folders = [{ ...folder, marker }];
    expect(join({ folders })).toMatchObject([{ state: "pending", isUnderWay: true, owner }]);
    expect(join({ folders, srs: [], pbds: [] })).toMatchObject([{ state: "pending", owner, srPath: path }]);
  });

  test.each<[string, Partial<HostRecords>]>([
    ["its SR is not attached", { pbds: [{ ...pbd, "currently-attached": "false" }] }],
    ["its folder is gone", { folders: [] }],
    ["its image is gone", { folders: [{ ...folder, image: undefined }] }],
    ["its SR has no PBD", { pbds: [], folders: [] }],
  ])("a corpse when %s", (_title, more) => {
    expect(join(more)).toMatchObject([{ state: "corpse", owner, isHere: true }]);
  });

  test("a folder without SR when it is that", () => {
    expect(join({ srs: [], pbds: [] })).toMatchObject([
      { state: "folder without SR", owner: undefined, isoName: "web-1.iso", srPath: path },
    ]);
  });
});

describe("a folder is nobody's of this package when", () => {
  test.each<[string, Partial<HostRecords>]>([
    ["others may read it", { folders: [{ ...folder, mode: "751" }] }],
    ["it holds something else", { folders: [{ ...folder, hasOthers: true }] }],
    ["it has the UUID of an SR", { srs: [{ ...sr, uuid, "name-description": "NFS" }] }],
    ["an SR of somebody else's is made of it", { pbds: [pbd], srs: [{ ...sr, "name-description": "ISOs" }] }],
  ])("%s", (_title, more) => {
    expect(join({ srs: [], pbds: [], ...more })).toEqual([]);
  });
});

describe("in a pool", () => {
  test("a disc on another host is told by its PBD, and nobody looked at its folder", () => {
    const pbds = [{ ...pbd, "host-uuid": "host-2" }];
    expect(join({ isPool: true, folders: [], pbds })).toMatchObject([
      { state: "live", isHere: false, hostUuid: "host-2", isFolderThere: false },
    ]);
  });

  test("a folder on another host that was looked at is found, whatever is left of its disc", () => {
    const onOther = { ...folder, hostUuid: "host-2" };
    const lookedAt = ["host-1", "host-2"];
    const inPool = { isPool: true, lookedAt, srs: [], pbds: [] };
    expect(join({ ...inPool, folders: [onOther] })).toMatchObject([
      { state: "folder without SR", isHere: false, isReached: true, hostUuid: "host-2" },
    ]);
    const folders = [folder, { ...onOther, marker }].map((each) => ({ ...each, image: undefined }));
    expect(join({ ...inPool, folders })).toMatchObject([
      { state: "pending", isUnderWay: true, owner, folderHostUuids: lookedAt },
    ]);
  });

  test("an SR without PBD is anybody's to forget, unless the toolstack is making one", () => {
    expect(join({ isPool: true, pbds: [] })).toMatchObject([{ isHere: true, srPath: path }]);
    expect(join({ isPool: true, pbds: [], folders: [] })).toMatchObject([{ state: "corpse", isHere: true }]);
    expect(join({ isPool: true, isCreating: true, pbds: [], folders: [] })).toMatchObject([
      { isHere: false, hostUuid: undefined },
    ]);
  });
});

test("two SRs of one folder are one disc", () => {
  const found = join({
    srs: [sr, { ...sr, uuid: "sr-2" }],
    pbds: [pbd, { ...pbd, uuid: "pbd-2", "sr-uuid": "sr-2" }],
  });
  expect(found).toMatchObject([{ srs: [{ uuid: "sr-1" }, { uuid: "sr-2" }] }]);
});

test("drives are those that name the disc; a snapshot's VM is not running", () => {
  const vbd = { uuid: "vbd-1", "vm-uuid": "vm-1", "vm-name-label": "web-1", "vdi-uuid": "vdi-1" };
  const [found] = join({
    vbds: [
      vbd,
      { ...vbd, uuid: "vbd-2", "vm-uuid": "snapshot-1" },
      { ...vbd, uuid: "vbd-3", "vdi-uuid": "vdi-9" },
    ],
    vms: [{ uuid: "vm-1", "name-label": "web-1", "power-state": "running" }],
  });
  expect(found?.drives).toMatchObject([
    { vbdUuid: "vbd-1", vmName: "web-1", powerState: "running" },
    { vbdUuid: "vbd-2", powerState: undefined },
  ]);
});
