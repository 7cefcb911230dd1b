import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { XenIsoAttachment, XenIsoRelease, XenTempIso } from "../../../provider";

/** What a resource without arguments registers. */
async function registeredBy(Resource: unknown, organization?: string): Promise<unknown[]> {
  const registered: unknown[] = [];
  const mocks: pulumi.runtime.Mocks = {
    call: ({ inputs }) => inputs as Record<string, unknown>,
    newResource: ({ inputs, name }) => {
      registered.push(inputs);
      return { id: name, state: inputs as Record<string, unknown> };
    },
  };
  await pulumi.runtime.setMocks(mocks, undefined, undefined, undefined, organization);
  const Untyped = Resource as new (name: string) => pulumi.CustomResource;
  const id = await new Promise((resolve) => new Untyped("x").id.apply(resolve));
  expect(id).toBe("x");
  return registered;
}

const ALWAYS = { owner: expect.any(String), __provider: expect.any(String) };

test.each([[XenTempIso], [XenIsoAttachment], [XenIsoRelease]])(
  "%o without arguments registers, so that check can say what is missing",
  async (Resource) => {
    expect(await registeredBy(Resource)).toEqual([ALWAYS]);
  },
);

test("null is not given, where a map of secrets may stand", async () => {
  class WithNull extends XenTempIso {
    constructor(name: string) {
      super(name, { isoPath: "a.iso", headers: null, hostConnections: null } as never);
    }
  }
  expect(await registeredBy(WithNull)).toEqual([
    { ...ALWAYS, isoPath: "a.iso", headers: null, hostConnections: null },
  ]);
});

test("a disc registers its stack's organization", async () => {
  expect(await registeredBy(XenTempIso, "acme")).toEqual([{ ...ALWAYS, organization: "acme" }]);
});
