import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import { checkTempIso } from "../../../provider/lifecycle/inputs";
import { checkIsoAttachment } from "../../../provider/lifecycle/iso-attachment-inputs";
import { seedImage } from "../../seed-image";
import { imageBytes, writeTemporary } from "../image";
import { startEngineLog } from "./engine-log-server";

const owner = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1";
const isoPath = writeTemporary(imageBytes("warnings"));
const connection = { host: "xen1.example.net", password: "s3cret" };

let engine: Awaited<ReturnType<typeof startEngineLog>>;

beforeAll(async () => {
  engine = await startEngineLog();
  configure({ get: () => undefined, require: () => "" });
});
beforeEach(() => {
  engine.entries.length = 0;
});
afterAll(() => {
  engine.stop();
});

test.each(["/run/iso", "/var/run/sr-mount", "/run", "/dev/shm/iso"])(
  "srMountPath %s gets a warning: it is in memory",
  async (srMountPath) => {
    const { failures } = await checkTempIso({}, { owner, isoPath, connection, srMountPath });
    expect(failures).toEqual([]);
    expect(engine.entries).toMatchObject([{ severity: "WARNING", urn: owner, isEphemeral: false }]);
    expect(engine.entries[0]?.message).toMatch(/^srMountPath .* is in the host's memory: a reboot leaves/);
  },
);

test.each([undefined, "/var/opt/iso", "/runner/iso", "/opt/run/iso", "/dev/shmoo"])(
  "srMountPath %s gets none",
  async (srMountPath) => {
    await checkTempIso({}, { owner, isoPath, connection, ...(srMountPath && { srMountPath }) });
    expect(engine.entries).toEqual([]);
  },
);

test("a check of the host key that is off gets a warning", async () => {
  await checkTempIso({}, { owner, isoPath, connection: { ...connection, hostKey: "ignore" } });
  expect(engine.entries).toMatchObject([
    { severity: "WARNING", urn: owner, message: expect.stringMatching(/^The host key is not checked/) },
  ]);
});

test("an image that is shorter than it says gets a warning with both sizes, once", async () => {
  const bytes = await seedImage();
  const cut = writeTemporary(bytes.subarray(0, 100 * 2048));
  for (let checks = 0; checks < 2; checks++) {
    const { failures } = await checkTempIso({}, { owner, isoPath: cut, connection });
    expect(failures).toEqual([]);
  }
  expect(engine.entries.map(({ message }) => message)).toEqual([
    `${cut} has 204800 bytes, but says that it holds a volume of ${bytes.length}: it may be a download that was cut off.`,
  ]);
  await checkTempIso({}, { owner, isoPath: writeTemporary(bytes), connection });
  expect(engine.entries).toHaveLength(1);
});

test("files that cloud-init would ignore get a warning", async () => {
  const files = { "user-data": "hostname: web-1\n" };
  await checkTempIso({}, { owner, files, connection });
  expect(engine.entries.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^files: meta-data is missing/),
    expect.stringMatching(/^files\["user-data"\]: begins with none of/),
  ]);
});

test.each([
  ["4", 1],
  ["15", 1],
  ["3", 0],
  [undefined, 0],
])("slot %s of a VM gets %i warnings", async (device, count) => {
  const uuid = "7b84f233-8aa3-468d-b254-fd585194da21";
  const args = { owner, vmUuid: uuid, vdiUuid: uuid, connection, ...(device && { device }) };
  const { failures } = await checkIsoAttachment(args);
  expect(failures).toEqual([]);
  expect(engine.entries).toHaveLength(count);
  for (const { message } of engine.entries) expect(message).toMatch(/^device: a guest .* sees only/);
});
