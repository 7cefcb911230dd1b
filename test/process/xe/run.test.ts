import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { SharedConnection } from "../../../provider/ssh/shared-connection";
import { SshError } from "../../../provider/ssh/error";
import { pbdPlug, poolList, srList, srScan } from "../../../provider/xe/commands";
import { XeError } from "../../../provider/xe/error";
import { isAnswerLost, mayBeDone, runXe, runXeAgain } from "../../../provider/xe/run";
import { targetOf } from "../../host/target";
import { type SimulatedPool, startPool } from "../../simulator";
import type { FaultEffect } from "../../simulator/xapi/faults";

const NO_SUCH = "00000000-0000-4000-8000-000000000000";

let pool: SimulatedPool;
let host: SharedConnection;

beforeAll(async () => {
  pool = await startPool({ transport: "embedded" });
  const { password = "" } = pool.coordinator.connection;
  host = SharedConnection.to(targetOf(pool.coordinator, { password }));
});
afterAll(() => pool[Symbol.asyncDispose]());
beforeEach(() => {
  pool.xapi.calls.splice(0);
  pool.xapi.faults.splice(0);
});

const fail = (command: string, effect: FaultEffect, times = 1) =>
  pool.xapi.faults.push({ command, effect, times });
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const namesOf = () => pool.xapi.calls.map(({ command }) => command);

test("the output is parsed, and a failure has the code, the command and the host", async () => {
  expect(await runXe(host, poolList())).toEqual([expect.objectContaining({ master: pool.coordinator.uuid })]);
  const error = await errorOf(runXe(host, srScan(NO_SUCH)));
  expect(error).toBeInstanceOf(XeError);
  expect(error).toMatchObject({ code: "UUID_INVALID", command: "sr-scan" });
  expect(String(error)).toContain(`xe sr-scan failed on ${host.address}`);
  expect(mayBeDone(error)).toBe(false);
});

test("a call that is not answered in time fails as one that may be done", async () => {
  fail("pool-list", { kind: "hang", when: "before" });
  const error = await errorOf(runXe(host, poolList(), 500));
  expect(error).toMatchObject({ code: "COMMAND_TIMED_OUT" });
  expect(String(error)).toContain("run xe pool-list");
  expect([isAnswerLost(error), mayBeDone(error)]).toEqual([true, true]);
});

test.each<[string, FaultEffect]>([
  ["a reply that is lost", { kind: "loseReply" }],
  ["a toolstack that is busy", { kind: "fail", code: "OTHER_OPERATION_IN_PROGRESS", params: ["SR", "x"] }],
])("an idempotent call is repeated after %s, once and then again later", async (_title, effect) => {
  fail("sr-list", effect, 2);
  const startedAt = performance.now();
  expect(await runXeAgain(host, srList({}))).toEqual([]);
  expect(namesOf()).toEqual(["sr-list", "sr-list", "sr-list"]);
  expect(performance.now() - startedAt).toBeGreaterThan(500);
});

test("no other failure is repeated", async () => {
  expect(await errorOf(runXeAgain(host, pbdPlug(NO_SUCH)))).toMatchObject({ code: "UUID_INVALID" });
  expect(namesOf()).toEqual(["pbd-plug"]);
});

test.each([
  ["CONNECTION_LOST", true],
  ["COMMAND_TIMED_OUT", true],
  ["AUTHENTICATION_FAILED", false],
] as const)("an SSH error %s leaves it open whether the call was carried out: %s", (code, expected) => {
  const error = new SshError(code, host.address, "words");
  expect([isAnswerLost(error), mayBeDone(error)]).toEqual([expected, expected]);
  expect([isAnswerLost(new Error(code)), mayBeDone(new Error(code))]).toEqual([false, false]);
});
