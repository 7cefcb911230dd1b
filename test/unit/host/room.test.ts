import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { noRoom, ROOM_RULE } from "../../../provider/host/room";
import { lines, sh } from "../../../provider/ssh/sh";

const GIB = 1024 ** 3;

/** What a host says of a place, in bytes. */
interface Room {
  readonly total: number;
  readonly available: number;
  readonly type: string;
  readonly memory: number;
  readonly promised?: number;
}

const disk = (availableGib: number, totalGib = 18): Room => ({
  total: totalGib * GIB,
  available: availableGib * GIB,
  type: "ext2/ext3",
  memory: GIB / 2,
});

const memory = (availableGib: number, memoryGib: number, totalGib = 1): Room => ({
  total: totalGib * GIB,
  available: availableGib * GIB,
  type: "tmpfs",
  memory: memoryGib * GIB,
});

/** Runs the rule in a real shell, as the host does. */
function hasRoom({ total, available, type, memory, promised = 0 }: Room, sizeBytes: number) {
  const kib = (bytes: number) => (Number.isNaN(bytes) ? "" : String(Math.floor(bytes / 1024)));
  const values = sh`total=${kib(total)} available=${kib(available)} type=${type} memory=${kib(memory)} promised=${promised}`;
  const script = lines(values, ROOM_RULE, sh`has_room ${Math.round(sizeBytes)}`);
  return spawnSync("bash", ["-c", script.text], { encoding: "utf8" });
}

test.each([
  ["a disk keeps 10 % of 18 GiB", disk(2.9), 1, true],
  ["a disk would keep less than 10 %", disk(2.7), 1, false],
  ["a small disk keeps 1 GiB", disk(2.1, 4), 1, true],
  ["a small disk would keep less than 1 GiB", disk(1.9, 4), 1, false],
  ["uploads under way leave room", { ...disk(4), promised: GIB }, 1, true],
  ["uploads under way leave no room", { ...disk(3.5), promised: GIB }, 1, false],
  ["memory keeps 512 MiB", memory(1, 2), 0.5, true],
  ["memory would keep less than 512 MiB", memory(1, 2), 0.6, false],
  ["a tmpfs shows its limit, but the memory is used", memory(1, 0.75), 0.5, false],
  ["a large tmpfs keeps a quarter", memory(4, 8, 4), 3, true],
  ["a large tmpfs would keep less than a quarter", memory(4, 8, 4), 3.1, false],
])("%s", (_title, room, imageGib, fits) => {
  expect(hasRoom(room, imageGib * GIB).status === 0).toBe(fits);
});

test("a room that could not be read is not taken for enough", () => {
  expect(hasRoom({ ...disk(5), available: NaN }, 1).status).not.toBe(0);
});

test("the message has what is available, what is promised, and what has to stay free", () => {
  const { stdout } = hasRoom({ ...disk(3.5), promised: GIB }, GIB);
  const { message } = noRoom(stdout, { sizeBytes: GIB, srMountPath: "/srv/isos" }, "xen1.example.net:22");
  expect(message).toMatch(
    /\/srv\/isos .* an image of 1024 MiB: 3584 MiB are available, of which uploads under way take 1024 MiB, and 1844 MiB have to stay free/,
  );
});
