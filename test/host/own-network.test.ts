import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import type { Check } from "../../provider/cli/diagnosis";
import { SCRIPT } from "./command-line";

/** Looks at a host from a network that has nothing but itself. */
function examine(host: string): Check {
  const { stdout } = spawnSync(
    "unshare",
    [
      ...["--user", "--map-root-user", "--net", process.execPath, ...SCRIPT],
      ...["doctor", "--json", "--host", host, "--dial-error-limit", "1", "--ssh-config", "false"],
    ],
    { encoding: "utf8", env: { ...process.env, XEN_PASSWORD: "hunter2" } },
  );
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  return checks[0] as Check;
}

test("a name server that does not answer says nothing about the host", () => {
  expect(examine("xen1.example.net")).toMatchObject({
    code: "DIAL_FAILED",
    detail: expect.stringMatching(
      /could not open a connection to xen1\.example\.net:22.*EAI_AGAIN/,
    ) as string,
  });
});
