import { expect, test } from "vitest";
import { assertRoom, type Room } from "../../../provider/host/room";

const GIB = 1024 ** 3;

const disk = (availableGib: number, totalGib = 18): Room => ({
  totalBytes: totalGib * GIB,
  availableBytes: availableGib * GIB,
  fileSystem: "ext2/ext3",
  memoryAvailableBytes: GIB / 2,
  promisedBytes: 0,
});

const memory = (availableGib: number, memoryAvailableGib: number, totalGib = 1): Room => ({
  totalBytes: totalGib * GIB,
  availableBytes: availableGib * GIB,
  fileSystem: "tmpfs",
  memoryAvailableBytes: memoryAvailableGib * GIB,
  promisedBytes: 0,
});

test.each([
  ["a disk keeps 10 % of 18 GiB", disk(2.9), 1, true],
  ["a disk would keep less than 10 %", disk(2.7), 1, false],
  ["a small disk keeps 1 GiB", disk(2.1, 4), 1, true],
  ["a small disk would keep less than 1 GiB", disk(1.9, 4), 1, false],
  ["uploads under way leave room", { ...disk(4), promisedBytes: GIB }, 1, true],
  ["uploads under way leave no room", { ...disk(3.5), promisedBytes: GIB }, 1, false],
  ["memory keeps 512 MiB", memory(1, 2), 0.5, true],
  ["memory would keep less than 512 MiB", memory(1, 2), 0.6, false],
  ["a tmpfs shows its limit, but the memory is used", memory(1, 0.75), 0.5, false],
  ["a large tmpfs keeps a quarter", memory(4, 8, 4), 3, true],
  ["a large tmpfs would keep less than a quarter", memory(4, 8, 4), 3.1, false],
])("%s", (_title, room, imageGib, fits) => {
  const attempt = () => {
    assertRoom(room, { sizeBytes: imageGib * GIB, srMountPath: "/var/opt/xen-iso" }, "xen1.example.net:22");
  };
  if (fits) expect(attempt).not.toThrow();
  else expect(attempt).toThrow(expect.objectContaining({ code: "NO_ROOM" }));
});

test("a room that could not be read is not taken for enough", () => {
  const attempt = () => {
    assertRoom({ ...disk(5), availableBytes: NaN }, { sizeBytes: 1, srMountPath: "/x" }, "h:22");
  };
  expect(attempt).toThrow(/no room/);
});
