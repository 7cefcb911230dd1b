import { expect, test } from "vitest";
import { noRoom } from "../../provider/host/room";
import { RemoteHost, sh } from "./host";

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

function fitsBeside({ total, available, type, memory, promised = 0 }: Room, sizeBytes: number) {
  using host = new RemoteHost();
  const kib = (bytes: number) => (Number.isNaN(bytes) ? "" : String(Math.floor(bytes / 1024)));
  const sizes = [kib(total), kib(available), kib(memory), String(promised), String(Math.round(sizeBytes))];
  return host.run(sh`fits_beside ${type} ${sizes}`);
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
  expect(fitsBeside(room, imageGib * GIB).status === 0).toBe(fits);
});

test("room that could not be read is not enough", () => {
  expect(fitsBeside({ ...disk(5), available: NaN }, 1).status).not.toBe(0);
});

test("the message names what is available, what is promised, and what has to stay free", () => {
  const { stdout } = fitsBeside({ ...disk(3.5), promised: GIB }, GIB);
  const { message } = noRoom(stdout, { sizeBytes: GIB, srMountPath: "/srv/isos" }, "xen1.example.net:22");
  expect(message).toMatch(
    /\/srv\/isos .* an image of 1\.0 GiB: 3\.5 GiB are available, of which uploads under way take 1\.0 GiB, and 1\.8 GiB have to stay free/,
  );
});

test("measures the file system of the current folder", () => {
  using host = new RemoteHost();
  const gib = 1024 ** 2;
  host.program("stat", `echo "4096 ${(18 * gib) / 4} ${(5 * gib) / 4} ext2/ext3"`);
  host.write("proc/meminfo", "MemTotal: 4194304 kB\nMemAvailable: 1048576 kB\n");
  const { status, stdout } = host.run(sh`has_room ${GIB} ${0}`);
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: `free=ext2/ext3 ${5 * gib} ${Math.floor(1.8 * gib)} 0\n`,
  });
});
