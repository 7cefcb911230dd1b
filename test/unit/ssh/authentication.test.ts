import type { AuthenticationType, KeyboardInteractiveAuthMethod, Prompt } from "ssh2";
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

/** What is answered to the first prompt of a host. */
async function answersTo(prompt: Prompt) {
  const target = { host: "xen1", port: 22, user: "root", password: "s3cret" } as SshTarget;
  const authentication = new Authentication(target, () => undefined);
  authentication.refused(["keyboard-interactive"], false);
  const offer = await new Promise<KeyboardInteractiveAuthMethod>((resolve) => {
    authentication.handler([] as AuthenticationType[], false, (next) => {
      resolve(next as KeyboardInteractiveAuthMethod);
    });
  });
  let answers: string[] | undefined;
  offer.prompt("", "", "", [prompt], (given) => (answers = given));
  return { answers, authentication };
}

test.each(["Password: ", "(root@xen1) Password:", "Passwort: ", "LDAP password for root:"])(
  "the password answers %s",
  async (prompt) => {
    expect((await answersTo({ prompt, echo: false })).answers).toEqual(["s3cret"]);
  },
);

test.each<[string, boolean]>([
  ["YubiKey for `root':", false],
  ["Verification code: ", false],
  ["Passcode or option (1-3): ", false],
  ["Username: ", true],
  ["Password (shown): ", true],
])("the password does not answer %s", async (prompt, echo) => {
  const { answers, authentication } = await answersTo({ prompt, echo });
  expect(answers).toBeUndefined();
  expect(authentication.failure()).toMatchObject({
    code: "PROMPT_UNANSWERED",
    message: expect.stringContaining(prompt.trim()) as string,
  });
});
