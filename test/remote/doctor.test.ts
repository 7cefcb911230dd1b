import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { RemoteHost, sh } from "./host";

test("tells what the host is, and nothing of the password in ~/.xe", () => {
  using host = new RemoteHost();
  host.write(".xe", "password=secret\nserver=other\n");
  expect(host.run(sh`host_facts`)).toEqual({
    status: 0,
    stdout: "xe=there\nINSTALLATION_UUID=host-1\nPRODUCT_BRAND=XCP-ng\nxe-server=set\n",
    stderr: "",
  });
  rmSync(host.path("bin/xe"));
  rmSync(host.path(".xe"));
  expect(host.run(sh`host_facts`).stdout).toBe("INSTALLATION_UUID=host-1\nPRODUCT_BRAND=XCP-ng\n");
});

test("measures the nearest folder that is there", () => {
  using host = new RemoteHost();
  host.program("stat", 'echo "1024 99999999 99999999 ${!#}"');
  const look = (path: string) => host.run(sh`look_at_mount_path ${host.path(path)}`).stdout;
  expect(look("isos/deep/er")).toBe(`free=${host.mountPath} 99999999 9999999 0\n`);
  host.write("file", "");
  expect(look("file/in/it")).toMatch(/^obstacle=is not a folder\n/);
});

test("says when there is no room for even the smallest image", () => {
  using host = new RemoteHost();
  host.program("stat", 'echo "1024 1000 1000 ext2/ext3"');
  expect(host.run(sh`look_at_mount_path ${host.mountPath}`).stdout).toMatch(/\nshortage=there\n$/);
});
