import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { SharedReading } from "../../../provider/ssh/shared-reading";
import type { Range, UploadSource } from "../../../provider/ssh/upload";

const MIB = 1024 ** 2;

/** Pieces of 1 MiB, each filled with its number, in a buffer that is used again; counts the bytes that are read. */
function countedSource(sizeBytes: number): UploadSource & { readBytes: number } {
  const source = {
    name: "image.iso",
    sizeBytes,
    readBytes: 0,
    async *read({ start, end }: Range) {
      const buffer = Buffer.alloc(MIB);
      for (let at = start; at < end; at += MIB) {
        await sleep(0);
        source.readBytes += MIB;
        yield buffer.fill(at / MIB);
      }
    },
    sha256: () => Promise.resolve("sha"),
  };
  return source;
}

/** The first byte of each piece. */
async function numbersOf(pieces: AsyncIterable<Uint8Array>, pauseMs = 0): Promise<number[]> {
  const numbers: number[] = [];
  for await (const piece of pieces) {
    numbers.push(piece[0] ?? -1);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return numbers;
}

const whole = (sizeBytes: number): Range => ({ start: 0, end: sizeBytes });

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("a shared reading", () => {
  it("gives every reader all bytes, and reads them once", async () => {
    const source = countedSource(20 * MIB);
    const reading = new SharedReading(source, 3);
    const paces = [0, 2, 5];
    const read = paces.map((pauseMs) => numbersOf(reading.reader().source.read(whole(20 * MIB)), pauseMs));
    expect(await Promise.all(read)).toEqual(paces.map(() => upTo(20)));
    expect(source.readBytes).toBe(20 * MIB);
  });

  it("is not ahead of the slowest reader by more than its window", async () => {
    const source = countedSource(20 * MIB);
    const reading = new SharedReading(source, 2);
    const fast = numbersOf(reading.reader().source.read(whole(20 * MIB)));
    const slow = reading
      .reader()
      .source.read(whole(20 * MIB))
      [Symbol.asyncIterator]();
    await slow.next();
    await vi.waitFor(() => expect(source.readBytes).toBe(4 * MIB));
    await sleep(50);
    expect(source.readBytes).toBe(4 * MIB);
    while (!(await slow.next()).done);
    expect(await fast).toEqual(upTo(20));
  });

  it("goes on without a reader that has ended", async () => {
    const source = countedSource(20 * MIB);
    const reading = new SharedReading(source, 2);
    const fast = numbersOf(reading.reader().source.read(whole(20 * MIB)));
    const { source: gone, end } = reading.reader();
    await gone
      .read(whole(20 * MIB))
      [Symbol.asyncIterator]()
      .next();
    end();
    expect(await fast).toEqual(upTo(20));
    expect(source.readBytes).toBe(20 * MIB);
  });

  it("lets a reader that comes too late read by itself", async () => {
    const source = countedSource(2 * MIB);
    const reading = new SharedReading(source, 1);
    await numbersOf(reading.reader().source.read(whole(2 * MIB)));
    expect(await numbersOf(reading.reader().source.read(whole(2 * MIB)))).toEqual([0, 1]);
    expect(source.readBytes).toBe(4 * MIB);
  });

  it("does not wait for ever for a reader that never comes", async () => {
    const source = countedSource(20 * MIB);
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const reading = new SharedReading(source, 2);
    const read = numbersOf(reading.reader().source.read(whole(20 * MIB)));
    await vi.waitFor(() => expect(source.readBytes).toBe(4 * MIB));
    vi.advanceTimersByTime(5_000);
    expect(await read).toEqual(upTo(20));
  });

  it("fails for every reader when the source does", async () => {
    const failure = new Error("no such file");
    const source = {
      ...countedSource(2 * MIB),
      async *read() {
        await sleep(0);
        yield Buffer.alloc(1);
        throw failure;
      },
    };
    const reading = new SharedReading(source, 2);
    const read = [0, 1].map(() => numbersOf(reading.reader().source.read(whole(2 * MIB))));
    const results = await Promise.allSettled(read);
    expect(results.every((result) => result.status === "rejected" && result.reason === failure)).toBe(true);
  });
});
