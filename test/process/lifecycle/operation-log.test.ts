import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { report } from "../../../provider/host/progress";
import { atEngine } from "../../../provider/lifecycle/engine-error";
import { warn } from "../../../provider/lifecycle/engine-log";
import { whileLogged } from "../../../provider/lifecycle/operation-log";
import { inSession } from "../../../provider/lifecycle/session";
import { tellingItsEnd } from "../../../provider/ssh/command-channel";
import { SshError } from "../../../provider/ssh/error";
import { startEngineLog } from "../../unit/lifecycle/engine-log-server";

const urn = (name: string) => `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::${name}`;

let engine: Awaited<ReturnType<typeof startEngineLog>>;

beforeAll(async () => {
  engine = await startEngineLog();
});
beforeEach(() => {
  engine.entries.length = 0;
});
afterAll(() => {
  engine.stop();
});

test("a warning is shown at its resource", async () => {
  await warn(urn("web-1"), "Mind the gap.");
  expect(engine.entries).toEqual([
    { severity: "WARNING", urn: urn("web-1"), message: "Mind the gap.", isEphemeral: false },
  ]);
});

test("each remote command is in the debug log of the resource that runs it, with how it ended", async () => {
  const run = (name: string, status: number) =>
    whileLogged(urn(name), async () => {
      await sleep(5);
      await tellingItsEnd({ host: "xen1:22", purpose: "run xe sr-create" }, () =>
        Promise.resolve({ status }),
      );
    });
  await Promise.all([run("web-1", 0), run("web-2", 1)]);
  const gone = () => Promise.reject(new SshError("CONNECTION_LOST", "xen1:22", "Gone."));
  const lost = whileLogged(urn("web-3"), () =>
    tellingItsEnd({ host: "xen1:22", purpose: "identify the host" }, gone),
  );
  await expect(lost).rejects.toThrow("Gone.");

  await vi.waitFor(() => expect(engine.entries).toHaveLength(3));
  const messageOf = (name: string) => engine.entries.find((entry) => entry.urn === urn(name));
  expect(messageOf("web-1")).toMatchObject({ severity: "DEBUG", isEphemeral: false });
  expect(messageOf("web-1")?.message).toMatch(/^xen1:22: run xe sr-create: exit status 0, \d+ ms$/);
  expect(messageOf("web-2")?.message).toMatch(/^xen1:22: run xe sr-create: exit status 1, \d+ ms$/);
  expect(messageOf("web-3")?.message).toMatch(/^xen1:22: identify the host: CONNECTION_LOST, \d+ ms$/);
});

test("what an operation is at is shown in the row of its resource, the newest of it, until it has ended", async () => {
  const shown = () => engine.entries.map(({ message }) => message);
  await whileLogged(urn("web-1"), async () => {
    report({ step: "uploading", sentBytes: 0, totalBytes: 100 });
    report({ step: "creating SR" });
    await vi.waitFor(() => expect(shown()).toContain("creating SR"), { timeout: 20_000 });
  });
  await vi.waitFor(() => expect(shown()).toContain(""));
  const row = { severity: "INFO", urn: urn("web-1"), isEphemeral: true };
  expect(engine.entries.slice(-2)).toEqual([
    { ...row, message: "creating SR" },
    { ...row, message: "" },
  ]);
});

test("what nobody's operation does is told to nobody", async () => {
  report({ step: "creating SR" });
  await tellingItsEnd({ host: "xen1:22", purpose: "greet" }, () => Promise.resolve({ status: 0 }));
  await warn(undefined, "Last.");
  expect(engine.entries.map(({ message }) => message)).toEqual(["Last."]);
});

test("the stack of an internal error is in the debug log, and its message alone goes to the user", async () => {
  const fail = (error: Error) => atEngine(() => Promise.reject(error), urn("web-1"));
  await expect(fail(new TypeError("x is not a function"))).rejects.toMatchObject({
    message: "x is not a function",
    stack: "",
  });
  await expect(fail(new SshError("CONNECTION_LOST", "xen1:22", "Gone."))).rejects.toThrow("Gone.");
  await vi.waitFor(() => expect(engine.entries).toHaveLength(1));
  expect(engine.entries[0]).toMatchObject({ severity: "DEBUG", urn: urn("web-1") });
  expect(engine.entries[0]?.message).toMatch(/^TypeError: x is not a function\n +at .*operation-log\.test/);
});

test("in a session, messages go to the resource that the engine names", async () => {
  const session = { configuration: { get: () => undefined }, urn: urn("renamed") };
  await inSession(session, () => warn(urn("web-1"), "Mind the gap."));
  expect(engine.entries).toMatchObject([{ urn: urn("renamed"), message: "Mind the gap." }]);
});

test("an operation goes its way when the engine's log is gone", async () => {
  engine.stop();
  const result = await whileLogged(urn("web-1"), async () => {
    report({ step: "creating SR" });
    await warn(urn("web-1"), "Nobody hears it.");
    return tellingItsEnd({ host: "xen1:22", purpose: "greet" }, () => Promise.resolve({ status: 0 }));
  });
  expect(result).toEqual({ status: 0 });
});
