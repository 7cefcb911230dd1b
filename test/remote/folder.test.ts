import { mkdirSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { FOLDER, markerOf, OTHER, RemoteHost, sh, THIRD } from "./host";

test("finds the folders named by a UUID that are neither links nor mounts", () => {
  using host = new RemoteHost();
  for (const name of [FOLDER, OTHER, "not-a-uuid"]) host.disc(name);
  symlinkSync(host.path("isos", FOLDER), host.path("isos", THIRD));
  host.write("proc/self/mounts", `server:/x ${host.path("isos", OTHER)} nfs rw 0 0\n`);
  const { stdout } = host.run(sh`folder_names`, { after: 'echo "${names[@]}"', cwd: host.mountPath });
  expect(stdout).toBe(`${FOLDER}\n`);
});

test("looks for a folder and its image", () => {
  using host = new RemoteHost();
  const path = host.disc(FOLDER, { "a.iso": "12345" });
  const look = (...args: string[]) => host.run(sh`look_at_folder ${args}`);
  expect(look(path, "a.iso")).toMatchObject({ status: 0, stdout: "folder=there\nimage=5\n" });
  expect(look(path, "b.iso")).toMatchObject({ status: 0, stdout: "folder=there\n" });
  expect(look(host.path("isos", OTHER), "a.iso")).toMatchObject({ status: 0, stdout: "" });
  symlinkSync(path, host.path("isos", OTHER));
  expect(look(host.path("isos", OTHER), "a.iso")).toMatchObject({ status: 0, stdout: "" });
});

test.each<[string, Readonly<Record<string, string>> | undefined]>([
  ["nothing", undefined],
  ["folder", { upload: "x" }],
  ["image", { image: "sha\n1\na.iso\n" }],
  ["sr", { image: "sha\n1\na.iso\nsr\n" }],
])("takes over at the stage %s", (stage, files) => {
  using host = new RemoteHost();
  if (files) host.disc(FOLDER, files);
  expect(host.run(sh`take_over ${host.mountPath} ${FOLDER}`)).toMatchObject({
    status: 0,
    stdout: `stage=${stage}\n`,
  });
});

test("takes over nothing through a link", () => {
  using host = new RemoteHost();
  host.disc(FOLDER);
  symlinkSync(host.mountPath, host.path("link"));
  expect(host.run(sh`take_over ${host.path("link")} ${FOLDER}`).stdout).toBe("stage=nothing\n");
});

const remove = (host: RemoteHost, mountPath = host.mountPath) =>
  host.run(sh`remove_folder ${mountPath} ${FOLDER} a.iso`);

test("removes its own files and the folder, and succeeds when they are gone", () => {
  using host = new RemoteHost();
  const names = ["a.iso", "upload", "writers", "pending", "image"];
  host.disc(FOLDER, Object.fromEntries(names.map((name) => [name, ""])));
  expect(remove(host)).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(host.has("isos", FOLDER)).toBe(false);
  expect(remove(host)).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(remove(host, host.path("gone")).status).toBe(0);
});

test("clears a folder, unless a run of its owner works in it", () => {
  using host = new RemoteHost();
  const clear = () => host.run(sh`clear_folder ${host.mountPath} ${FOLDER} a.iso urn:x`);
  for (const [pending, status] of [
    [markerOf("urn:x", { isAlive: false }), 0],
    [markerOf("urn:y", { isAlive: true }), 0],
    [markerOf("urn:x", { isAlive: true }), EXIT.ownerBusy],
  ] as const) {
    host.disc(FOLDER, { pending, "a.iso": "x" });
    expect(clear().status).toBe(status);
    expect(host.has("isos", FOLDER)).toBe(status !== 0);
  }
});

test("leaves what is not its own, and says what that is", () => {
  using host = new RemoteHost();
  host.disc(FOLDER, { "a.iso": "", notes: "" });
  const { status, stderr } = remove(host);
  expect(status).toBe(EXIT.notRemoved);
  expect(stderr).toMatch(/notes$/m);
  expect(host.has("isos", FOLDER, "notes")).toBe(true);
});

test("removes nothing through a link, in the folder's place or in that of the mount path", () => {
  using host = new RemoteHost();
  host.disc(OTHER, { "a.iso": "" });
  symlinkSync(host.path("isos", OTHER), host.path("isos", FOLDER));
  expect(remove(host)).toMatchObject({ status: EXIT.notRemoved, stderr: "It is a link.\n" });

  mkdirSync(host.path("real", FOLDER), { recursive: true });
  symlinkSync(host.path("real"), host.path("link"));
  const { status, stderr } = remove(host, host.path("link"));
  expect(status).toBe(EXIT.notRemoved);
  expect(stderr).toBe(`${host.path("link")} is a link to ${host.path("real")}.\n`);
  expect(host.has("isos", OTHER, "a.iso")).toBe(true);
  expect(host.has("real", FOLDER)).toBe(true);
});

test("waits for the lock of the mount path, but not for ever", () => {
  using host = new RemoteHost();
  host.disc(FOLDER);
  host.program("flock", "exit 1");
  expect(remove(host)).toMatchObject({ status: EXIT.notRemoved, stderr: "Another run keeps it locked.\n" });
  expect(host.has("isos", FOLDER)).toBe(true);
});
