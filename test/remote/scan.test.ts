import { symlinkSync, utimesSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { parseScan } from "../../provider/host/scan-folders";
import { FOLDER, markerOf, OTHER, RemoteHost, sh } from "./host";

const scan = (host: RemoteHost) => host.run(sh`scan_folders ${host.mountPath}`);
const parsed = (host: RemoteHost) => parseScan(scan(host).stdout, host.mountPath);

test("describes each folder with its marker and its files", () => {
  using host = new RemoteHost();
  host.disc(FOLDER, { pending: markerOf("urn:a = b", { isAlive: true }), upload: "abc" });
  const path = host.disc(OTHER, { "web 1.iso": "abcd", image: "" });
  const hourAgo = Date.now() / 1_000 - 3_600;
  utimesSync(`${path}/web 1.iso`, hourAgo, hourAgo);
  const [first, second] = parsed(host).sort((a) => (a.folder.uuid === OTHER ? -1 : 1));
  expect(first).toMatchObject({
    folder: { srMountPath: host.mountPath, uuid: OTHER },
    marker: undefined,
    image: { name: "web 1.iso", sizeBytes: 4 },
    hasOthers: false,
  });
  expect(first?.image?.ageSeconds).toBeGreaterThanOrEqual(3_600);
  expect(second).toMatchObject({
    marker: { owner: "urn:a = b", isoName: "x.iso", isUnderWay: true },
    image: { name: "upload", sizeBytes: 3 },
  });
});

test("nobody works behind the marker of a session that is gone", () => {
  using host = new RemoteHost();
  host.disc(FOLDER, { pending: markerOf("urn:a", { isAlive: false }) });
  expect(parsed(host)[0]?.marker?.isUnderWay).toBe(false);
});

test.each<[string, (path: string, host: RemoteHost) => void]>([
  ["a folder", (_path, host) => host.write(`isos/${FOLDER}/sub/x`, "")],
  ["a link", (path) => symlinkSync("/etc/passwd", `${path}/link`)],
  ["a name with a control character", (_path, host) => host.write(`isos/${FOLDER}/a\nb`, "")],
  [
    "a second image",
    (_path, host) => ["a.iso", "b.iso"].forEach((name) => host.write(`isos/${FOLDER}/${name}`, "")),
  ],
])("%s in it is not of this package", (_title, add) => {
  using host = new RemoteHost();
  add(host.disc(FOLDER), host);
  expect(parsed(host)).toMatchObject([{ hasOthers: true }]);
});

test("finds nothing where there is no mount path, and needs its lock", () => {
  using host = new RemoteHost();
  expect(host.run(sh`scan_folders ${host.path("gone")}`)).toEqual({ status: 0, stdout: "", stderr: "" });
  host.program("flock", "exit 1");
  expect(scan(host).status).toBe(EXIT.folderFailed);
});
