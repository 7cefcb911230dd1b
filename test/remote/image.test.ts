import { createHash } from "node:crypto";
import { linkSync, statSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { FOLDER, RemoteHost, sh } from "./host";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

test("receives a small image and records that it is complete", () => {
  using host = new RemoteHost();
  expect(host.run(sh`receive_image a.iso 5 sha`, { input: "12345rest" })).toEqual({
    status: 0,
    stdout: "ready\n",
    stderr: "",
  });
  expect(host.read("a.iso")).toBe("12345");
  expect(host.read("image")).toBe("sha\n5\na.iso\n");
});

test("an image that did not arrive whole has no record", () => {
  using host = new RemoteHost();
  expect(host.run(sh`receive_image a.iso 5 sha`, { input: "123" }).status).toBe(EXIT.notWhole);
  expect(host.has("image")).toBe(false);
});

test("an image that cannot be written: the words of dd without its counts", () => {
  using host = new RemoteHost();
  host.program("dd", "printf 'dd: error: No space left\\n1+0 records in\\n3 bytes copied\\n' >&2; exit 1");
  expect(host.run(sh`receive_image a.iso 5 sha`)).toMatchObject({
    status: EXIT.imageFailed,
    stderr: "dd: error: No space left\n",
  });
});

test("an upload gets its name, once", () => {
  using host = new RemoteHost();
  const path = host.disc(FOLDER, { upload: "abc" });
  const place = sh`place_image ${path} a.iso 3 sha ${""} ${""}`;
  const placed = host.run(place);
  expect(placed.stdout).toMatch(/^image=\d+ 3 /);
  expect(host.read("isos", FOLDER, "a.iso")).toBe("abc");
  expect(host.read("isos", FOLDER, "image")).toBe("sha\n3\na.iso\n");
  expect(host.run(place)).toEqual(placed);
  expect(host.run(sh`place_image ${path}-gone a.iso 3 sha ${""} ${""}`).status).toBe(EXIT.imageFailed);
});

test("ranges are written side by side into one file", () => {
  using host = new RemoteHost();
  const path = host.disc(FOLDER);
  expect(host.run(sh`write_range ${path} 1 4`, { input: "efgh" }).stderr).toMatch(/^4 bytes/m);
  host.run(sh`write_range ${path} 0 4`, { input: "abcd" });
  expect(host.read("isos", FOLDER, "upload")).toBe("abcdefgh");
  expect(host.mode("isos", FOLDER, "upload")).toBe("600");
  expect(host.run(sh`write_range ${host.path("gone")} 0 4`).status).toBe(EXIT.folderFailed);
});

test("hashes what has arrived, block by block, and a whole file", () => {
  using host = new RemoteHost();
  const path = host.disc(FOLDER, { upload: "abcdef" });
  const { stdout } = host.run(sh`hash_blocks ${path} 4`);
  expect(stdout.match(/^[0-9a-f]{64}/gm)).toEqual([sha256("abcd"), sha256("ef")]);
  expect(host.run(sh`hash_blocks ${host.disc("empty")} 4`)).toMatchObject({ status: 0, stdout: "" });
  expect(host.run(sh`hash_file ${path}/upload`).stdout).toBe(`sha256=${sha256("abcdef")}\n`);
});

const identityOf = (host: RemoteHost, path: string) =>
  host.run(sh`name_image ${path} 3 sha`, { cwd: host.root }).stdout.slice("image=".length, -1);

test("links an upload to its twin, if that is still the same file", () => {
  using host = new RemoteHost();
  host.write("twin", "abc");
  host.write("image", "");
  const identity = identityOf(host, "twin");
  const cwd = host.disc(FOLDER);
  expect(host.run(sh`link_twin ${host.path("twin")} ${identity}`, { cwd }).status).toBe(0);
  expect(statSync(host.path("isos", FOLDER, "upload")).ino).toBe(statSync(host.path("twin")).ino);

  const other = host.disc("other");
  expect(host.run(sh`link_twin ${host.path("twin")} other`, { cwd: other }).status).toBe(EXIT.notWhole);
  expect(host.run(sh`link_twin ${host.path("gone")} ${identity}`, { cwd: other }).status).toBe(EXIT.notWhole);
  expect(host.has("isos/other/upload")).toBe(false);
});

test("gives a whole upload its name, once", () => {
  using host = new RemoteHost();
  host.write("upload", "abc");
  expect(host.run(sh`sync_upload`).status).toBe(0);
  expect(host.run(sh`name_image a.iso 3 sha`)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^image=\d+ 3 \d/),
  });
  expect([host.has("upload"), host.read("a.iso"), host.read("image")]).toEqual([
    false,
    "abc",
    "sha\n3\na.iso\n",
  ]);
  // Again, as after a lost reply.
  expect(host.run(sh`sync_upload`).status).toBe(0);
  expect(host.run(sh`name_image a.iso 3 sha`).status).toBe(0);
});

test("an upload that is too short, or not there, gets no name", () => {
  using host = new RemoteHost();
  expect(host.run(sh`name_image a.iso 3 sha`).status).toBe(EXIT.notWhole);
  writeFileSync(host.path("upload"), "ab");
  expect(host.run(sh`name_image a.iso 3 sha`).status).toBe(EXIT.notWhole);
  expect(host.has("a.iso")).toBe(false);
});

test("records that sr-create was begun", () => {
  using host = new RemoteHost();
  host.write("image", "sha\n3\na.iso\n");
  linkSync(host.path("image"), host.path("other"));
  expect(host.run(sh`begin_sr`).status).toBe(0);
  expect(host.read("image")).toBe("sha\n3\na.iso\nsr\n");
});
