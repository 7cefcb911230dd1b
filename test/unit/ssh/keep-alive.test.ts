import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DEAD_SECONDS, watchLink } from "../../../provider/ssh/keep-alive";

describe("watchLink", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function watched() {
    const stream = Object.assign(new PassThrough(), { bytesWritten: 0 });
    let queuedBytes = 0;
    Object.defineProperty(stream, "writableLength", { get: () => queuedBytes });
    const ping = vi.fn();
    const onDead = vi.fn();
    const end = watchLink(stream, ping, onDead);
    const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1_000);
    const queue = (bytes: number) => (queuedBytes = bytes);
    return { stream, ping, onDead, end, seconds, queue };
  }

  it("asks a silent host for an answer, and gives up the link after 30 s without a byte", async () => {
    const { ping, onDead, seconds } = watched();
    await seconds(6);
    expect(ping).not.toHaveBeenCalled();
    await seconds(1);
    expect(ping).toHaveBeenCalledTimes(1);
    await seconds(DEAD_SECONDS - 8);
    expect(onDead).not.toHaveBeenCalled();
    await seconds(1);
    expect(onDead).toHaveBeenCalledTimes(1);
    await seconds(100);
    expect(onDead).toHaveBeenCalledTimes(1);
  });

  it("keeps a link whose host sends bytes now and then, whatever they are", async () => {
    const { stream, onDead, seconds } = watched();
    for (let round = 0; round < 5; round++) {
      await seconds(DEAD_SECONDS - 1);
      stream.emit("data", Buffer.from("x"));
    }
    expect(onDead).not.toHaveBeenCalled();
  });

  it("keeps a link that takes bytes from a full queue, while the answers wait behind them", async () => {
    const { stream, onDead, seconds, queue } = watched();
    queue(1_000_000);
    stream.bytesWritten = 1_000_000;
    for (let round = 0; round < 5; round++) {
      await seconds(DEAD_SECONDS - 1);
      queue(1_000_000 - (round + 1) * 1_000);
    }
    expect(onDead).not.toHaveBeenCalled();
    await seconds(DEAD_SECONDS + 1);
    expect(onDead).toHaveBeenCalledTimes(1);
  });

  it("is not deceived by a kernel that takes every ping to a dead host", async () => {
    const { stream, ping, onDead, seconds } = watched();
    ping.mockImplementation(() => (stream.bytesWritten += 60));
    await seconds(DEAD_SECONDS);
    expect(ping).toHaveBeenCalledTimes(4);
    expect(onDead).toHaveBeenCalledTimes(1);
  });

  it("ends with the link", async () => {
    const { stream, end, onDead, seconds } = watched();
    end();
    expect(stream.listenerCount("data")).toBe(0);
    await seconds(100);
    expect(onDead).not.toHaveBeenCalled();
  });
});
