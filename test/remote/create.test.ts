import { statSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { FOLDER, OTHER, PBD, RemoteHost, sh, SR, VDI } from "./host";

const FOUND = `sr=${SR}\npbd=${PBD}\nvdi=${VDI}\n`;

/** A host on which everything works. */
function workingHost(): RemoteHost {
  const host = new RemoteHost();
  host.program(
    "stat",
    `[ "$1" != -f ] || { echo "4096 9999999 9999999 ext2/ext3"; exit; }\nexec /usr/bin/stat "$@"`,
  );
  host.xe({ "sr-create": `echo ${SR}`, "pbd-list": `echo ${PBD}`, "vdi-list": `echo ${VDI}` });
  return host;
}

test("a small disc is one command: folder, image, SR", () => {
  using host = workingHost();
  const call = sh`make_small_disc ${host.mountPath} ${FOLDER} urn:a web.iso 5 sha xe sr-create ${"name-label=web 1"}`;
  const { status, stdout } = host.run(call, { input: "12345wanted\n" });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^host-uuid=host-1\nfree=.*\nready\nstep=sr\n/);
  expect(stdout.endsWith(`${FOUND}wanted?\nmarker=removed\n`)).toBe(true);
  expect(host.calls[0]).toBe("sr-create name-label=web 1 host-uuid=host-1");
  expect(host.read("isos", FOLDER, "web.iso")).toBe("12345");
  expect(host.read("isos", FOLDER, "image")).toBe("sha\n5\nweb.iso\nsr\n");
  expect(host.has("isos", FOLDER, "pending")).toBe(false);
});

test("nothing of it is done behind a step that failed", () => {
  using host = workingHost();
  const call = sh`make_small_disc ${host.mountPath} ${FOLDER} urn:a web.iso 5 sha xe sr-create`;
  expect(host.run(call, { input: "12" }).status).toBe(EXIT.notWhole);
  expect(host.calls).toEqual([]);
  expect(host.has("isos", FOLDER, "pending")).toBe(true);
});

test("a linked disc shares the file of its twin", () => {
  using host = workingHost();
  const twin = `${host.disc(OTHER, { "a.iso": "abc" })}/a.iso`;
  const stats = host.run(sh`name_image ${twin} 3 sha`, { before: ": >image" }).stdout;
  const identity = stats.slice("image=".length, -1);
  const call = sh`make_linked_disc ${host.mountPath} ${FOLDER} urn:a web.iso 3 sha ${twin} ${identity} xe sr-create`;
  expect(host.run(call, { input: "wanted\n" }).stdout).toMatch(/image=\d+ 3 .*\nstep=sr\n/);
  expect(statSync(host.path("isos", FOLDER, "web.iso")).ino).toBe(statSync(twin).ino);
  expect(host.has("isos", FOLDER, "pending")).toBe(false);
});

test("an uploaded image becomes a disc", () => {
  using host = workingHost();
  host.disc(FOLDER, { upload: "abc", pending: "x" });
  const call = sh`make_disc ${host.mountPath} ${FOLDER} web.iso 3 sha ${""} ${""} xe sr-create`;
  expect(host.run(call, { input: "wanted\n" })).toMatchObject({ status: 0 });
  expect(host.read("isos", FOLDER, "web.iso")).toBe("abc");
  expect(host.has("isos", FOLDER, "pending")).toBe(false);
});

test("a folder that is gone is no place for a disc", () => {
  using host = workingHost();
  const call = sh`make_disc ${host.mountPath} ${FOLDER} web.iso 3 sha ${""} ${""} xe sr-create`;
  expect(host.run(call).status).toBe(EXIT.imageFailed);
  expect(host.calls).toEqual([]);
});

test("the SR of a whole pool is made as it is told, without a host of its own", () => {
  using host = workingHost();
  const path = host.disc(FOLDER, { image: "sha\n3\nweb.iso\n", pending: "x" });
  const { status, stdout } = host.run(sh`make_shared_sr ${path} xe sr-create shared=true`);
  expect({ status, stdout }).toEqual({ status: 0, stdout: `step=sr\nsr=${SR}\n` });
  expect(host.calls).toEqual(["sr-create shared=true"]);
  expect(host.read("isos", FOLDER, "image")).toBe("sha\n3\nweb.iso\nsr\n");
  expect(host.has("isos", FOLDER, "pending")).toBe(true);
});

test.each(["", "no\n"])("without the answer that it is wanted (%j) the marker stays", (input) => {
  using host = workingHost();
  host.disc(FOLDER, { pending: "x" });
  const { status, stdout } = host.run(sh`find_made_disc ${host.mountPath} ${FOLDER} web.iso ${SR}`, {
    input,
  });
  expect({ status, stdout }).toEqual({ status: 0, stdout: `host-uuid=host-1\n${FOUND}wanted?\n` });
  expect(host.has("isos", FOLDER, "pending")).toBe(true);
});

test("a marker that cannot be removed is told", () => {
  using host = workingHost();
  host.disc(FOLDER, { pending: "x" });
  host.program("rm", "echo 'rm: Read-only file system' >&2; exit 1");
  const call = sh`find_made_disc ${host.mountPath} ${FOLDER} web.iso ${SR}`;
  expect(host.run(call, { input: "wanted\n" })).toMatchObject({
    status: EXIT.markerStays,
    stderr: "rm: Read-only file system\n",
  });
});
