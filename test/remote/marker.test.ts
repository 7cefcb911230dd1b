import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { FOLDER, markerOf, RemoteHost, sh } from "./host";

const show = `printf '%s|' "$owner" "$iso" "$size" "$session" "$started"`;

test("reads what it wrote", () => {
  using host = new RemoteHost();
  const owner = "urn:pulumi:dev::shop::t::a=b 'c'";
  host.run(sh`write_marker ${owner} ${"web 1.iso"} ${7}`, { before: "SSH_CLIENT='192.0.2.7 51000 22'" });
  expect(host.run(sh`read_marker .`, { after: `${show} "$client" "$since"` }).stdout).toMatch(
    /^urn:pulumi:dev::shop::t::a=b 'c'\|web 1\.iso\|7\|\d+\|\d+\|192\.0\.2\.7\|\d{10}\|$/,
  );
});

test.each([
  ["none", "", "||0|||"],
  ["one that is cut short", "owner=a\niso=b", "a||0|||"],
  ["a size that is no number", "size=1; id\n", "||0|||"],
])("of %s it reads what there is", (_title, text, expected) => {
  using host = new RemoteHost();
  if (text) host.write("pending", text);
  expect(host.run(sh`read_marker .`, { after: show }).stdout.replace("|b|", "||")).toBe(expected);
});

test("somebody works behind a marker while its session lives and its lease lasts", () => {
  using host = new RemoteHost();
  const [, session = "", started = ""] =
    /session=(\d+)\nstarted=(\d+)/.exec(markerOf("a", { isAlive: true })) ?? [];
  const isHeld = (...args: string[]) => host.run(sh`is_held ${args}`).status === 0;
  expect(isHeld(session, started, "59")).toBe(true);
  expect(isHeld(session, started, "60")).toBe(false);
  expect(isHeld(session, "1", "0")).toBe(false);
  expect(isHeld(session, "", "0")).toBe(false);
  expect(isHeld(String(2 ** 22 + 1), started, "0")).toBe(false);
});

test("renews the markers that are there, and makes none", () => {
  using host = new RemoteHost();
  const folder = host.disc(FOLDER, { pending: markerOf("a", { isAlive: false }) });
  expect(host.run(sh`renew_markers ${[folder, host.path("isos/gone")]}`).status).toBe(0);
  expect(host.read("isos", FOLDER, "pending")).toMatch(
    new RegExp(`^owner=a\\niso=x.iso\\nsize=0\\nsession=${process.pid}\\nstarted=\\d+\\n$`),
  );
  expect(host.has("isos/gone")).toBe(false);
});

test("removes the marker of a folder, and nothing of the current one when that is gone", () => {
  using host = new RemoteHost();
  const folder = host.disc(FOLDER, { pending: "x", writers: "x", image: "x" });
  host.write("pending", "of somebody else");
  expect(host.run(sh`remove_marker ${folder}`).status).toBe(0);
  expect(host.has("isos", FOLDER, "pending")).toBe(false);
  expect(host.has("isos", FOLDER, "image")).toBe(true);
  expect(host.run(sh`remove_marker ${host.path("isos/gone")}`).status).toBe(EXIT.markerStays);
  expect(host.has("pending")).toBe(true);
});
