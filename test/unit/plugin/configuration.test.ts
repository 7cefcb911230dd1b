import { expect, test } from "vitest";
import { inSession } from "../../../provider/lifecycle/session";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";
import { checkSettings, configurationOf } from "../../../provider/plugin/configuration";
import { explicitProviderOf } from "../../../provider/plugin/resources";

test("reports a setting that does not exist, and not what the engine adds", () => {
  const { failures } = checkSettings({ host: "xen1", hots: "x", version: "0.2.0" });
  expect(failures.map(({ reason }) => reason)).toEqual([
    "xen:hots (stack configuration): is not a setting; did you mean host?",
  ]);
});

test("names a property of an explicit provider as its program does", () => {
  const configuration = new Map<string, unknown>();
  const check = () => checkSettings({ hots: "x" }).failures.map(({ reason }) => reason);
  expect(inSession({ configuration, provider: "xen2" }, check)).toEqual([
    "hots of the provider xen2: is not a setting; did you mean host?",
  ]);
});

test.each([
  ["urn:pulumi:dev::shop::pulumi:providers:xen::xen2", "xen2"],
  ["urn:pulumi:dev::shop::pulumi:providers:xen::default_0_2_0", undefined],
  ["", undefined],
])("the explicit provider of %j is %j", (urn, name) => {
  expect(explicitProviderOf(urn)).toBe(name);
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
