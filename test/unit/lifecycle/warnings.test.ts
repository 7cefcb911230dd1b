import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import { checkTempIso } from "../../../provider/lifecycle/inputs";
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
