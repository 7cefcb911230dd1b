import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { beforeEach, expect, test } from "vitest";
import { type Progress, progressChannel } from "../../provider/host/progress";
import { commandChannel, type EndedCommand } from "../../provider/ssh/command-channel";
import { waitChannel, type WaitMessage } from "../../provider/ssh/wait";
import { startPool } from "../simulator";
import { imageBytes, writeTemporary } from "../unit/image";
import { argumentsFor, createDisc, deleteDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

/** All that is published on a channel during the scope. */
function listenTo({ name }: { name: string | symbol }) {
  const messages: unknown[] = [];
  const listener = (message: unknown) => {
    messages.push(message);
  };
  subscribe(name, listener);
  return {
    messages,
    [Symbol.asyncDispose]: () => {
      unsubscribe(name, listener);
      return Promise.resolve();
    },
  };
}

test("a create tells how far the upload is, then what the toolstack does", async () => {
  await using progress = listenTo(progressChannel);
  await using pool = await startPool({ transport: "embedded" });
  pool.xapi.faults.push({ command: "sr-create", effect: { kind: "vdiLate", scans: 1 } });
  const isoPath = writeTemporary(Buffer.concat([imageBytes("large"), Buffer.alloc(2 * 1024 ** 2)]));
  const { isoSize } = await createDisc(argumentsFor(pool.coordinator, { isoPath }));

  const uploads = (progress.messages as Progress[]).filter(({ step }) => step === "uploading");
  expect(uploads.at(-1)).toEqual({ step: "uploading", sentBytes: isoSize, totalBytes: isoSize });
  expect(progress.messages.slice(uploads.length)).toEqual([
    { step: "creating SR" },
    { step: "waiting for VDI", attempt: 2 },
  ]);
});

test("a delete tells in whose drive the disc is", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const state = await createDisc(argumentsFor(pool.coordinator));
  pool.xapi.addVm({ name: "web-1", powerState: "running", drives: [{ vdiUuid: state.vdiUuid ?? "" }] });
  await using progress = listenTo(progressChannel);
  await deleteDisc(state);
  expect(progress.messages).toEqual([{ step: "ejecting", holder: "web-1" }]);
});

test("each remote command tells how it ended, and nothing of its text", async () => {
  await using commands = listenTo(commandChannel);
  await using pool = await startPool({ transport: "embedded" });
  const { host, port, password } = pool.coordinator.connection;
  const state = await createDisc(argumentsFor(pool.coordinator));
  pool.xapi.forgetSr(state.srUuid ?? "");
  await deleteDisc(state);

  expect(commands.messages).toHaveLength(pool.coordinator.commands.length);
  for (const command of commands.messages)
    expect(command).toEqual({
      host: `${host}:${port}`,
      purpose: expect.any(String),
      durationMs: expect.any(Number),
      outcome: expect.any(Number),
    });
  const purposes = (commands.messages as EndedCommand[]).map(({ purpose }) => purpose);
  expect(purposes).toContain("make the storage repository");
  const text = purposes.join("\n");
  for (const part of [password, state.srPath, state.isoName, state.owner]) expect(text).not.toContain(part);
});

test("each long wait is told with its limit", async () => {
  await using waits = listenTo(waitChannel);
  await using pool = await startPool({ transport: "embedded" });
  const told = () =>
    (waits.messages as WaitMessage[])
      .filter(({ isOver }) => !isOver)
      .map(({ wait: { what, atMost } }) => `${what}, at most ${atMost}`);

  // The reply of sr-create is lost: its SR may still come.
  pool.xapi.faults.push({ command: "sr-create", effect: { kind: "loseReply", when: "before" } });
  const args = argumentsFor(pool.coordinator);
  const { host, port } = pool.coordinator.connection;
  await createDisc(args).catch(() => undefined);
  const address = `${host}:${port}`;
  expect(told()).toEqual(
    expect.arrayContaining([
      `a login to ${address}, at most 3 tries of 15 s`,
      `one of 9 commands on ${address} to end, at most as long as these may take`,
      `${address} to make the storage repository, at most 15 min`,
      `${address} to end an sr-create whose reply was lost, at most 10 min`,
    ]),
  );
  const { messages } = waits;
  expect(messages.filter((each) => (each as WaitMessage).isOver)).toHaveLength(messages.length / 2);
});
