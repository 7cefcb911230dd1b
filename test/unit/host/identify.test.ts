import { expect, test } from "vitest";
import { hostUuidOf } from "../../../provider/host/identify";
import { EXIT } from "../../../provider/host/protocol";

const host = { address: "xen1.example.net:22" };
const read = (status: number, stdout: string) => hostUuidOf(host, { status, stdout, stderr: "", noise: "" });

test("reads the UUID, whatever was printed beside it", () => {
  expect(read(0, "a=b\nhost-uuid=7ba98d5b-6d4c-4402-af2e-6de145bc4763\nready\n")).toBe(
    "7ba98d5b-6d4c-4402-af2e-6de145bc4763",
  );
});

test.each([
  ["a status that says so", EXIT.notXenServer, "host-uuid=1"],
  ["no UUID", 0, ""],
])("refuses another machine: %s", (_title, status, stdout) => {
  expect(() => read(status, stdout)).toThrow(/xen1\.example\.net:22 is not a XenServer or XCP-ng host.*dom0/);
});
