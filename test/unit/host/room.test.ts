import { expect, test } from "vitest";
import { noRoom, parseRoom } from "../../../provider/host/room";

const image = { sizeBytes: 3 * 1024 ** 3, srMountPath: "/var/opt/xen-iso" };

test("parses the last measurement; the type of a file system may have blanks", () => {
  expect(parseRoom("free=UNKNOWN (0x1) 1 2 3\nreceived=5\nfree=ext2/ext3 2048 1024 512\n")).toEqual({
    type: "ext2/ext3",
    availableBytes: 2_097_152,
    keptFreeBytes: 1_048_576,
    promisedBytes: 524_288,
  });
  expect(parseRoom("")).toEqual({ type: "" });
});

test("says how much there is, how much other uploads take, and where to go", () => {
  const { code, message } = noRoom("free=ext2/ext3 2097152 1048576 524288\n", image, "xen1:22");
  expect(code).toBe("NO_ROOM");
  expect(message).toContain("an image of 3.0 GiB: 2.0 GiB are available");
  expect(message).toContain("512 MiB");
  expect(message).toContain("a folder on a larger file system");
});

test("a file system in memory is called that", () => {
  expect(noRoom("free=tmpfs 1024 1024 0\n", image, "xen1:22").message).toMatch(
    /of memory are available.*a folder on disk/,
  );
});

test("a measurement that failed is called unknown", () => {
  expect(noRoom("", image, "xen1:22").message).toContain("an unknown size");
});
