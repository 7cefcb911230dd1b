import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { FOLDER, PBD, RemoteHost, sh, SR, VDI } from "./host";

const remove = (host: RemoteHost, hostUuid = "host-1") =>
  host.run(sh`delete_unused_disc ${hostUuid} ${SR} ${PBD} ${VDI} ${host.mountPath} ${FOLDER} web.iso`).status;

test("takes the SR away, then the folder", () => {
  using host = new RemoteHost();
  host.disc(FOLDER, { "web.iso": "abc", image: "" });
  expect(remove(host)).toBe(0);
  expect(host.calls.map((call) => call.split(" ")[0])).toEqual(["vbd-list", "pbd-unplug", "sr-forget"]);
  expect(host.has("isos", FOLDER)).toBe(false);
});

test("touches nothing on another host", () => {
  using host = new RemoteHost();
  host.disc(FOLDER);
  expect(remove(host, "host-2")).toBe(EXIT.otherHost);
  expect(host.calls).toEqual([]);
  expect(host.has("isos", FOLDER)).toBe(true);
});

test("leaves the folder of an SR that stays", () => {
  using host = new RemoteHost();
  host.disc(FOLDER);
  host.xe({ "sr-forget": "exit 1" });
  expect(remove(host)).not.toBe(0);
  expect(host.has("isos", FOLDER)).toBe(true);
});
