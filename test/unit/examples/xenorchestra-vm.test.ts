import * as pulumi from "@pulumi/pulumi";
import type { Vm } from "@vates/pulumi-xenorchestra";
import { expect, test } from "vitest";

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

/** What the engine was asked for; Xen Orchestra's side is answered as its provider does. */
async function runExample(configuration: Record<string, string>): Promise<Registered[]> {
  const registered: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        registered.push({ type, name, inputs });
        const made = type.endsWith("xen:TempIso") ? { vdiUuid: "the-disc", hostUuid: "the-host" } : {};
        return { id: `${name}-id`, state: { ...inputs, ...made } };
      },
      call: ({ inputs }: { inputs: Record<string, unknown> }) => ({
        ...inputs,
        id: `id of ${String(inputs["nameLabel"])}`,
      }),
    },
    "xenorchestra-vm",
    "dev",
  );
  const prefixed = Object.entries(configuration).map(([key, value]) => [`xenorchestra-vm:${key}`, value]);
  pulumi.runtime.setAllConfig(Object.fromEntries(prefixed));
  const { vmUuid } = await import("../../../examples/xenorchestra-vm/index.js");
  await new Promise((resolve) => vmUuid.apply(resolve));
  return registered;
}

test("Xen Orchestra's VM gets the disc in its drive, and runs where the disc is", async () => {
  const registered = await runExample({
    isoPath: "web-1.iso",
    template: "Debian",
    network: "eth0",
    storage: "local",
  });
  const disc = registered.find(({ type }) => type === "pulumi-nodejs:dynamic/xen:TempIso");
  expect(disc).toMatchObject({ name: "web-1-seed", inputs: { isoPath: "web-1.iso" } });
  const vm = registered.find(({ type }) => type === "xenorchestra:index/vm:Vm");
  expect(vm?.inputs).toMatchObject({
    template: "id of Debian",
    networks: [{ networkId: "id of eth0" }],
    disks: [{ srId: "id of local" }],
    cdrom: { id: "the-disc" },
    affinityHost: "the-host",
  } satisfies Partial<Record<keyof Vm, unknown>>);
});
