import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Semaphore } from "../../../provider/ssh/semaphore";

/** Work that runs until it is ended, and notes when it began. */
function worker(begun: string[], name: string) {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const work = () => {
    begun.push(name);
    return ended;
  };
  return { work, end };
}

test("runs at most as many as the limit, the others in order of arrival", async () => {
  const semaphore = new Semaphore(2);
  const begun: string[] = [];
  const workers = ["a", "b", "c", "d"].map((name) => worker(begun, name));
  const all = workers.map(({ work }) => semaphore.use(work));
  await nextTurn();
  expect(begun).toEqual(["a", "b"]);
  workers[1]?.end();
  await nextTurn();
  expect(begun).toEqual(["a", "b", "c"]);
  for (const { end } of workers) end();
  await Promise.all(all);
  expect(begun).toEqual(["a", "b", "c", "d"]);
  expect(semaphore.isIdle).toBe(true);
});

test("starts urgent work beyond the limit, and gives its slot to nobody", async () => {
  const semaphore = new Semaphore(1);
  const begun: string[] = [];
  const [running, waiting, urgent] = ["running", "waiting", "urgent"].map((name) => worker(begun, name));
  const all = [running, waiting].map((each) =>
    semaphore.use(() => each?.work() ?? Promise.reject(new Error())),
  );
  const atOnce = semaphore.useAtOnce(() => urgent?.work() ?? Promise.reject(new Error()));
  await nextTurn();
  expect(begun).toEqual(["running", "urgent"]);
  urgent?.end();
  await atOnce;
  expect(begun).toEqual(["running", "urgent"]);
  running?.end();
  waiting?.end();
  await Promise.all(all);
  expect(begun).toEqual(["running", "urgent", "waiting"]);
});

test("work that fails gives its slot back", async () => {
  const semaphore = new Semaphore(1);
  await expect(semaphore.use(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await semaphore.use(() => Promise.resolve(1))).toBe(1);
});

test("a higher limit starts those that wait, a lower one lets running work end", async () => {
  const semaphore = new Semaphore(1);
  const begun: string[] = [];
  const workers = ["a", "b", "c"].map((name) => worker(begun, name));
  const all = workers.map(({ work }) => semaphore.use(work));
  semaphore.limit = 2;
  await nextTurn();
  expect(begun).toEqual(["a", "b"]);
  semaphore.limit = 1;
  workers[0]?.end();
  await nextTurn();
  for (const { end } of workers) end();
  await Promise.all(all);
  expect(begun).toEqual(["a", "b", "c"]);
  expect(semaphore).toMatchObject({ running: 0, limit: 1, isIdle: true });
});
