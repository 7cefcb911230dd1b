import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { onAll, onEach } from "../../../provider/host/pool";

describe("onEach", () => {
  it("returns the results in order, and works on 32 hosts at a time", async () => {
    let running = 0;
    let most = 0;
    const hosts = Array.from({ length: 40 }, (_, index) => index);
    const results = await onEach(hosts, async (host) => {
      most = Math.max(most, ++running);
      await sleep(5);
      running--;
      return host * 2;
    });
    expect(results).toEqual(hosts.map((host) => host * 2));
    expect(most).toBe(32);
  });

  it("throws the first failure, once the others have ended, which are told", async () => {
    let hasEnded = false;
    const work = onEach(["fails", "goes on"], async (host, signal) => {
      if (host === "fails") throw new Error("first");
      await sleep(30);
      hasEnded = true;
      signal.throwIfAborted();
    });
    await expect(work).rejects.toThrow("first");
    expect(hasEnded).toBe(true);
  });

  it("begins no work after a failure", async () => {
    const begun: number[] = [];
    const hosts = Array.from({ length: 40 }, (_, index) => index);
    const work = onEach(hosts, async (host) => {
      begun.push(host);
      await sleep(1);
      throw new Error("all fail");
    });
    await expect(work).rejects.toThrow("all fail");
    expect(begun).toHaveLength(32);
  });
});

describe("onAll", () => {
  it("goes on past a failure, and throws the first one", async () => {
    const done: string[] = [];
    const work = onAll(["a", "b", "c"], async (host) => {
      await sleep(1);
      if (host === "b") throw new Error("no b");
      done.push(host);
    });
    await expect(work).rejects.toThrow("no b");
    expect(done).toEqual(["a", "c"]);
  });
});
