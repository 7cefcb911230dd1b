import { describe, expect, test } from "vitest";
import { AbandonedError, readPrepared } from "../../../provider/host/prepare";
import { EXIT } from "../../../provider/host/protocol";

const host = { address: "xen1.example.net:22" };
const folder = { srMountPath: "/var/opt/xen-iso", uuid: "7b84f233-8aa3-468d-b254-fd585194da21" };
const purpose = { owner: "urn:pulumi:dev::shop::t::web-1", isoName: "web-1.iso", sizeBytes: 1024 };

const read = (status: number, stdout: string, stderr = "") =>
  readPrepared(host, folder, purpose, { status, stdout: `host-uuid=h\n${stdout}`, stderr, noise: "" });

describe("another create of the same resource that is at work", () => {
  test("is named with the address it came from and its start", () => {
    expect(() => read(EXIT.ownerBusy, "live=x\nclient=192.0.2.7\nsince=1764106800")).toThrow(
      "Another run is making urn:pulumi:dev::shop::t::web-1 on xen1.example.net:22 (/var/opt/xen-iso/x), " +
        "from 192.0.2.7, since 2025-11-25T21:40:00.000Z. Wait until it has ended",
    );
  });

  test("is named without them where its marker does not say them, as that of 0.1.0", () => {
    expect(() => read(EXIT.ownerBusy, "live=x\nclient=\nsince=")).toThrow("(/var/opt/xen-iso/x). Wait until");
  });
});

test("folders that killed creates left come with the names of their images", () => {
  const abandoned = [
    { folder: { srMountPath: folder.srMountPath, uuid: "a" }, isoName: "web 1.iso" },
    { folder: { srMountPath: folder.srMountPath, uuid: "b" }, isoName: "" },
  ];
  try {
    read(EXIT.abandoned, "abandoned=a/web 1.iso\nabandoned=b/");
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(AbandonedError);
    expect((error as AbandonedError).abandoned).toEqual(abandoned);
  }
});

test("a folder that cannot be made is told in the host's words", () => {
  expect(() => read(EXIT.folderFailed, "", "mkdir: Read-only file system\n")).toThrow(
    /could not be made on xen1\.example\.net:22\. Check that .* The host says: mkdir: Read-only file system$/,
  );
});

test("a twin has its path on the host; the lack of room is kept for an upload", () => {
  const { twin, noRoom } = read(0, "twin=a/b=c.iso\nidentity=7 1024 now\nfree=ext2/ext3 5 9 0\nroom=short");
  expect(twin).toEqual({ path: "/var/opt/xen-iso/a/b=c.iso", identity: "7 1024 now" });
  expect(noRoom?.code).toBe("NO_ROOM");
  expect(read(0, "free=ext2/ext3 5 9 0")).toEqual({ hostUuid: "h" });
});
