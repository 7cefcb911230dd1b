import { expect, test } from "vitest";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";
import { checkSettings, configurationOf } from "../../../provider/plugin/configuration";

test("reports a setting that does not exist, and not what the engine adds", () => {
  const { failures } = checkSettings({ host: "xen1", hots: "x", version: "0.2.0" });
  expect(failures.map(({ reason }) => reason)).toEqual([expect.stringContaining("xen:hots")]);
});

test("reads settings other than text from JSON, and leaves out unknown ones", () => {
  const configuration = configurationOf({
    host: "22",
    port: "2222",
    proxy: '{"host":"jump"}',
    user: UNKNOWN,
  });
  expect(configuration.get("xen:host")).toBe("22");
  expect(configuration.get("xen:port")).toBe(2_222);
  expect(configuration.get("xen:user")).toBeUndefined();
});

test("keeps what is not JSON for the check that refuses it", () => {
  expect(configurationOf({ port: "ssh" }).get("xen:port")).toBe("ssh");
});
