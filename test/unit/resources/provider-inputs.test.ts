import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { XenIsoAttachment, XenIsoRelease, XenTempIso } from "../../../provider";

test.each([[XenTempIso], [XenIsoAttachment], [XenIsoRelease]])(
  "%o without arguments registers, so that check can say what is missing",
  async (Resource) => {
    const registered: unknown[] = [];
    await pulumi.runtime.setMocks({
      call: ({ inputs }) => inputs as Record<string, unknown>,
      newResource: ({ inputs, name }) => {
        registered.push(inputs);
        return { id: name, state: inputs as Record<string, unknown> };
      },
    });
    const Untyped = Resource as unknown as new (name: string) => pulumi.CustomResource;
    const id = await new Promise((resolve) => new Untyped("x").id.apply(resolve));
    expect(id).toBe("x");
    expect(registered).toEqual([{ owner: expect.any(String), __provider: expect.any(String) }]);
  },
);
