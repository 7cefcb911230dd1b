import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { isRefusedForNow, isReplyLost, SENTENCES, XeError } from "../../provider/xe/error";
import { RemoteHost, sh, SR } from "./host";

/** Time passes without waiting. */
const noSleep = "sleep() { SECONDS=$((SECONDS + 25)); }";

const error = (code: string) => new XeError(code, [], "sr-create", "xen1.example.net:22", "");

test.each(SENTENCES)("knows whether %s may pass, as the errors of xe do", (code, sentence) => {
  using host = new RemoteHost();
  const isPassing = (repeat: string) => host.run(sh`is_passing ${repeat} ${`x ${sentence} y`}`).status === 0;
  expect(isPassing("once")).toBe(isRefusedForNow(error(code)));
  expect(isPassing("repeatable")).toBe(isRefusedForNow(error(code)) || isReplyLost(error(code)));
});

test("repeats what may pass, and sets REPLY to what xe printed", () => {
  using host = new RemoteHost();
  host.xe({
    "sr-scan": `[ -e ${host.path("up")} ] || { touch ${host.path("up")}; echo 'Connection refused' >&2; exit 1; }; echo done`,
  });
  const { stdout } = host.run(sh`ask sr-scan once xe sr-scan`, { before: noSleep, after: 'echo "$REPLY"' });
  expect(stdout).toBe("done\n");
  expect(host.calls).toHaveLength(2);
});

test.each([
  ["once", 1],
  ["repeatable", 4],
])("after a lost reply, a command that may be sent %s is sent %i times", (repeat, times) => {
  using host = new RemoteHost();
  host.xe({ "sr-scan": "echo 'Lost connection to the server.' >&2; exit 1" });
  expect(host.run(sh`ask sr-scan ${repeat} xe sr-scan`, { before: noSleep, after: "echo never" })).toEqual({
    status: EXIT.xeFailed,
    stdout: "failed=sr-scan\n",
    stderr: "Lost connection to the server.\n",
  });
  expect(host.calls).toHaveLength(times);
});

test("any other failure is final", () => {
  using host = new RemoteHost();
  host.xe({ "sr-scan": "echo 'Error code: INTERNAL_ERROR' >&2; exit 1" });
  expect(host.run(sh`ask sr-scan repeatable xe sr-scan`).status).toBe(EXIT.xeFailed);
  expect(host.calls).toHaveLength(1);
});

test("the backoff grows to five seconds, with jitter", () => {
  using host = new RemoteHost();
  const before = 'pause=0; sleep() { echo "$1"; }';
  const after = "rest; rest; rest; rest";
  const pauses = host
    .run(sh`rest`, { before, after })
    .stdout.trim()
    .split("\n")
    .map(Number);
  expect(pauses.map(Math.floor)).toEqual([0, 1, 3, 5, 5]);
  for (const pause of pauses) expect(pause % 1).toBeGreaterThanOrEqual(0.25);
});

test("knows a UUID", () => {
  using host = new RemoteHost();
  const isUuid = (text: string) => host.run(sh`is_uuid ${text}`).status === 0;
  expect([SR, "", `${SR},${SR}`, "Error"].map(isUuid)).toEqual([true, false, false, false]);
});
