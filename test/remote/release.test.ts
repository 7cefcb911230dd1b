import { expect, test } from "vitest";
import { parseScan } from "../../provider/host/scan-folders";
import { FOLDER, OTHER, RemoteHost, sh } from "./host";

const SR = "7b84f233-8aa3-468d-b254-fd585194da21";

test("finds the folder that was marked with an SR, and no other", () => {
  using host = new RemoteHost();
  const path = host.disc(FOLDER, { "a b.iso": "x" });
  host.disc(OTHER, { released: "sr=another\n" });
  expect(host.run(sh`mark_released ${path} ${SR} ${"urn:a"} ${"a b.iso"} ${""}`).status).toBe(0);
  expect(host.mode("isos", FOLDER, "released")).toBe("600");
  const find = (srUuid: string) =>
    host.run(sh`find_released ${srUuid} ${[host.path("gone"), host.mountPath]}`);
  expect(find(SR)).toMatchObject({
    status: 0,
    stdout: `path=${path}\nsr=${SR}\nowner=urn:a\niso=a b.iso\n`,
  });
  expect(find(OTHER).stdout).toBe("");
});

test("marks a disc of a whole pool as such, and nothing where there is no folder", () => {
  using host = new RemoteHost();
  const path = host.disc(FOLDER);
  host.run(sh`mark_released ${path} ${SR} ${"urn:a"} ${"a.iso"} ${"true"}`);
  expect(host.read("isos", FOLDER, "released")).toBe(`sr=${SR}\nowner=urn:a\niso=a.iso\nshared=true\n`);
  const gone = host.run(sh`mark_released ${host.path("gone")} ${SR} ${"urn:a"} ${"a.iso"} ${""}`);
  expect(gone.status).toBe(0);
  expect(host.has("gone")).toBe(false);
});

test("the mark is seen, names the disc's owner, and goes with the folder", () => {
  using host = new RemoteHost();
  const path = host.disc(FOLDER, { "a.iso": "12345" });
  host.run(sh`mark_released ${path} ${SR} ${"urn:a"} ${"a.iso"} ${""}`);
  expect(host.run(sh`look_at_folder ${path} a.iso`).stdout).toBe("folder=there\nreleased=\nimage=5\n");
  const { stdout } = host.run(sh`scan_folders ${host.mountPath}`);
  expect(parseScan(stdout, host.mountPath)).toMatchObject([{ releasedOwner: "urn:a", hasOthers: false }]);
  expect(host.run(sh`remove_folder ${host.mountPath} ${FOLDER} a.iso`).status).toBe(0);
  expect(host.has("isos", FOLDER)).toBe(false);
});
