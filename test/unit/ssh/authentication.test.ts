import type { AuthenticationType } from "ssh2";
import { expect, test } from "vitest";
import { Authentication } from "../../../provider/ssh/authentication";
import type { SshTarget } from "../../../provider/ssh/target";

test("keys that cannot be read end the login with a message", async () => {
  // Nothing but a fault of this package leads here.
  const target = { host: "xen1", port: 22, user: "root", identityFiles: null } as unknown as SshTarget;
  const authentication = new Authentication(target, () => undefined);
  authentication.refused(["publickey"], false);
  const offer = await new Promise((resolve) => {
    authentication.handler([] as AuthenticationType[], false, (next) => {
      resolve(next);
    });
  });
  expect(offer).toBe(false);
  expect(authentication.failure()).toMatchObject({
    code: "AUTHENTICATION_FAILED",
    message: expect.stringMatching(/^xen1:22 was not offered a key: .*TypeError/) as string,
  });
});
