import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { FOLDER, markerOf, OTHER, RemoteHost, sh } from "./host";

/** As `stat -f` reports a disk of 100 GB, with so many KiB available. */
const disk = (kib: string) =>
  `[ "$1" = -f ] || exec /usr/bin/stat "$@"; echo 1024 100000000 ${kib} ext2/ext3`;

test("writes a stream step by step, from a block on, and counts it", () => {
  using host = new RemoteHost();
  host.program("stat", disk("99000000"));
  const path = host.disc(FOLDER, { upload: "0123" });
  const { status, stdout } = host.run(sh`write_stream ${path} 1 0 4 2`, { input: "abcdefghijklmnopqrstu" });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^received=21$/m);
  expect(host.read("isos", FOLDER, "upload")).toBe("0123abcdefghijklmnopqrstu");
});

test("a stream that ends with a step is written whole", () => {
  using host = new RemoteHost();
  host.program("stat", disk("99000000"));
  const path = host.disc(FOLDER);
  expect(host.run(sh`write_stream ${path} 0 16 4 2`, { input: "abcdefghijklmnop" }).stdout).toMatch(
    /^received=16$/m,
  );
  expect(host.read("isos", FOLDER, "upload")).toBe("abcdefghijklmnop");
});

test("a stream is stopped where it would leave the host short of room", () => {
  using host = new RemoteHost();
  host.write("left", "10000010");
  host.program("stat", disk(`$(cat ${host.path("left")}; echo 9999999 >${host.path("left")})`));
  const path = host.disc(FOLDER);
  const { status, stdout } = host.run(sh`write_stream ${path} 0 0 4 2`, { input: "x".repeat(1_000) });
  expect(status).toBe(EXIT.noRoom);
  expect(stdout).toMatch(/^free=ext2\/ext3 9999999 10000000 0$/m);
  expect(host.read("isos", FOLDER, "upload")).toBe("x".repeat(8));
});

test("a stream whose size is known is refused at once, beside what other uploads have still to write", () => {
  using host = new RemoteHost();
  host.program("stat", disk("10003000"));
  const path = host.disc(FOLDER);
  const input = "x".repeat(1_000);
  expect(host.run(sh`write_stream ${path} 0 2000000 4 2`, { input }).status).toBe(0);
  host.disc(OTHER, { pending: markerOf("another", { isAlive: true, size: 2_000_000 }) });
  expect(host.run(sh`write_stream ${path} 0 2000000 4 2`, { input }).status).toBe(EXIT.noRoom);
});

test("a folder that is gone, and a disk that refuses, are told apart", () => {
  using host = new RemoteHost();
  host.program("stat", disk("99000000"));
  expect(host.run(sh`write_stream ${host.path("gone")} 0 0 4 2`).status).toBe(EXIT.folderFailed);
  host.program("dd", "printf 'dd: error: No space left\\n1+0 records in\\n3 bytes copied\\n' >&2; exit 1");
  expect(host.run(sh`write_stream ${host.disc(FOLDER)} 0 0 4 2`)).toMatchObject({
    status: EXIT.imageFailed,
    stderr: expect.stringMatching(/dd: error: No space left\n$/),
  });
});
