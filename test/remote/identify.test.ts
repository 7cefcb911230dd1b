import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { RemoteHost, sh } from "./host";

test("prints the UUID of the host", () => {
  using host = new RemoteHost();
  expect(host.run(sh`identify`)).toMatchObject({ status: 0, stdout: "host-uuid=host-1\n" });
});

test.each<[string, (host: RemoteHost) => void]>([
  ["no inventory", (host) => rmSync(host.path("etc/xensource-inventory"))],
  ["an inventory without the UUID", (host) => host.write("etc/xensource-inventory", "PRODUCT_BRAND='x'\n")],
  ["no xe", (host) => rmSync(host.path("bin/xe"))],
])("a machine with %s is not a XenServer host", (_title, change) => {
  using host = new RemoteHost();
  change(host);
  expect(host.run(sh`identify`)).toMatchObject({ status: EXIT.notXenServer, stdout: "" });
});

test("succeeds only on the host that was meant", () => {
  using host = new RemoteHost();
  expect(host.run(sh`assert_host ${"host-1"}`).status).toBe(0);
  expect(host.run(sh`assert_host ${"host-2"}`).status).toBe(EXIT.otherHost);
});
