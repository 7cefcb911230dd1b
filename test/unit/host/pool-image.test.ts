import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { onEachReading } from "../../../provider/host/pool-image";
import type { Range } from "../../../provider/ssh/upload";

const MIB = 1024 ** 2;

test("a source is read once for 32 hosts, however many there are and however large it is", async () => {
  let readings = 0;
  const range = { start: 0, end: 6 * MIB };
  const source = {
    name: "image.iso",
    sizeBytes: range.end,
    async *read({ start, end }: Range) {
      readings++;
      for (let at = start; at < end; at += MIB) {
        await sleep(0);
        yield Buffer.alloc(MIB);
      }
    },
    sha256: () => Promise.resolve("sha"),
  };
  const startedAt = Date.now();
  const received: number[] = [];
  await onEachReading(
    Array.from({ length: 70 }, (_, index) => index),
    source,
    async (_host, reading) => {
      const { source: shared, end } = reading.reader();
      let bytes = 0;
      for await (const piece of shared.read(range)) bytes += piece.length;
      end();
      received.push(bytes);
    },
  );
  expect(received).toEqual(Array(70).fill(range.end));
  expect(readings).toBe(3);
  expect(Date.now() - startedAt).toBeLessThan(4_000);
});
