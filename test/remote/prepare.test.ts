import { symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { FOLDER, markerOf, OTHER, RemoteHost, sh, THIRD } from "./host";

const GIB = 1024 ** 3;

/** A host whose disk has this much left of 18 GiB. */
function hostWith(availableGib: number): RemoteHost {
  const host = new RemoteHost();
  const [total, available] = [18, availableGib].map((gib) => gib * 1024 ** 2);
  host.program(
    "stat",
    `[ "$1" != -f ] || { echo "1024 ${total} ${Math.floor(available!)} ext2/ext3"; exit; }\nexec /usr/bin/stat "$@"`,
  );
  return host;
}

const prepare = (host: RemoteHost, sizeBytes = 1, sha256 = "", owner = "urn:a") =>
  host.run(sh`prepare_folder ${host.mountPath} ${FOLDER} ${owner} web.iso ${sizeBytes} ${sha256}`, {
    after: "pwd -P",
  });

test("makes a folder that only root can read, with its marker, and goes there", () => {
  using host = hostWith(10);
  const { status, stdout } = prepare(host, 5);
  expect(status).toBe(0);
  expect(stdout).toMatch(new RegExp(`^free=.*\\n${host.path("isos", FOLDER)}\\n$`));
  expect([host.mode("isos", FOLDER), host.mode("isos", FOLDER, "pending")]).toEqual(["700", "600"]);
  expect(host.read("isos", FOLDER, "pending")).toMatch(
    new RegExp(
      `^owner=urn:a\\niso=web.iso\\nsize=5\\nsession=${process.pid}\\nstarted=\\d+\\nclient=\\nsince=\\d+\\n$`,
    ),
  );
  expect(host.read("isos", FOLDER, "writers")).toMatch(/^\d+ \d+\n$/);
});

test("makes the mount path, and refuses one that is a link", () => {
  using host = hostWith(10);
  const run = (path: string) => host.run(sh`prepare_folder ${host.path(path)} ${FOLDER} urn:a web.iso 1`);
  expect(run("var/deep/isos").status).toBe(0);
  symlinkSync(host.mountPath, host.path("link"));
  expect(run("link")).toMatchObject({
    status: EXIT.folderFailed,
    stderr: expect.stringContaining("is a link"),
  });
  expect(host.has("isos", FOLDER)).toBe(false);
});

test("another create of the same resource that is at work is named, and nothing made", () => {
  using host = hostWith(10);
  const session = "client=192.0.2.7\nsince=1764106800\n";
  host.disc(OTHER, { pending: markerOf("urn:a", { isAlive: true }) + session });
  expect(prepare(host)).toMatchObject({ status: EXIT.ownerBusy, stdout: `live=${OTHER}\n${session}` });
  expect(host.has("isos", FOLDER)).toBe(false);
});

test("folders of the same resource that killed creates left are named, others' are not", () => {
  using host = hostWith(10);
  host.disc(OTHER, { pending: markerOf("urn:a", { isAlive: false }) });
  host.disc(THIRD, { pending: markerOf("urn:b", { isAlive: false }) });
  expect(prepare(host)).toMatchObject({ status: EXIT.abandoned, stdout: `abandoned=${OTHER}/x.iso\n` });
  expect(host.has("isos", FOLDER)).toBe(false);
});

test.each([
  ["urn:a\tacme", "urn:a\tacme", true],
  ["urn:a\tacme", "urn:a\tother", false],
  // 0.1.0 and the plugin tell no organization.
  ["urn:a\tacme", "urn:a", true],
  ["urn:a", "urn:a\tacme", false],
])("to a create of %j, a marker of %j is of the same resource: %j", (owner, marker, isOwn) => {
  for (const isAlive of [true, false]) {
    using host = hostWith(10);
    host.disc(OTHER, { pending: markerOf(marker, { isAlive }) });
    const { status } = prepare(host, 1, "", owner);
    expect(status).toBe(isOwn ? (isAlive ? EXIT.ownerBusy : EXIT.abandoned) : 0);
    if (!isOwn) expect(host.read("isos", FOLDER, "pending")).toMatch(`owner=${owner}\n`);
  }
});

test("counts what uploads under way have still to write", () => {
  using host = hostWith(4);
  host.disc(OTHER, { pending: markerOf("urn:b", { isAlive: true, size: 2 * GIB }), upload: "x" });
  expect(prepare(host, GIB)).toMatchObject({ status: EXIT.noRoom });
  host.disc(OTHER, { pending: markerOf("urn:b", { isAlive: false, size: 2 * GIB }) });
  expect(prepare(host, GIB).status).toBe(0);
});

test("a file of the same content takes no room", () => {
  using host = hostWith(1);
  const content = { image: "sha\n7\nweb.iso\n", "web.iso": "content" };
  expect(prepare(host, 7, "sha").status).toBe(EXIT.noRoom);
  host.disc(OTHER, content);
  const { status, stdout } = prepare(host, 7, "sha");
  expect(status).toBe(0);
  expect(stdout).toMatch(new RegExp(`^twin=${OTHER}/web.iso\\nidentity=\\d+ 7 .*\\nfree=.*\\nroom=short\\n`));
  expect(host.read("isos", FOLDER, "pending")).toMatch(/^size=0$/m);
});

test.each<[string, Readonly<Record<string, string>>]>([
  ["another content", { image: "other\n7\nweb.iso\n", "web.iso": "content" }],
  ["another size", { image: "sha\n8\nweb.iso\n", "web.iso": "content" }],
  ["no file", { image: "sha\n7\nweb.iso\n" }],
  ["a record that is cut short", { image: "sha\n7\n", "web.iso": "content" }],
])("a folder with %s is no twin", (_title, files) => {
  using host = hostWith(10);
  host.disc(OTHER, files);
  expect(prepare(host, 7, "sha").stdout).not.toMatch(/twin/);
});
