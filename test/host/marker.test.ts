import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { renewMarkers } from "../../provider/host/marker";
import { scanFolders } from "../../provider/host/scan-folders";
import { MAX_CHANNELS } from "../../provider/ssh/link";
import { sh } from "../../provider/ssh/sh";
import { SharedConnection } from "../../provider/ssh/shared-connection";
import { type Call, Gate } from "../faults/gate";
import { type SimulatedHost, startPool } from "../simulator";
import { targetOf } from "./target";

const FOLDER = "/var/opt/xen-iso/3f1c2b7a-58d7-4d9e-9a0b-6f2f4a1c9d10";

/** A folder whose marker says that a session works there which is gone. */
function markedFolder(host: SimulatedHost): string {
  const marker = host.path(`${FOLDER}/pending`);
  mkdirSync(dirname(marker), { recursive: true });
  writeFileSync(marker, "owner=urn:pulumi:web-1\niso=web-1.iso\nsize=1\nsession=1\nstarted=1\n");
  return marker;
}

const connectionTo = (host: SimulatedHost) =>
  SharedConnection.to(targetOf(host, { privateKey: host.connection.privateKey }));

test("a session takes over from one that is gone, and then keeps the marker young", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const marker = markedFolder(pool.coordinator);
  const host = connectionTo(pool.coordinator);

  await renewMarkers(host, [FOLDER]);
  const taken = readFileSync(marker, "utf8");
  expect(taken).toMatch(/^owner=urn:pulumi:web-1\niso=web-1.iso\nsize=1\nsession=\d+\nstarted=\d+\n$/);
  expect(taken).not.toMatch(/^(session|started)=1$/m);

  utimesSync(marker, 0, 0);
  await renewMarkers(host, [FOLDER]);
  expect(readFileSync(marker, "utf8")).toBe(taken);
  expect(statSync(marker).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
});

test("a longer marker that was there leaves nothing that counts", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const marker = markedFolder(pool.coordinator);
  const longest = { session: 2 ** 22, started: Number.MAX_SAFE_INTEGER };
  writeFileSync(
    marker,
    `owner=urn:pulumi:web-1\niso=web-1.iso\nsize=1\nsession=${longest.session}\nstarted=${longest.started}\n`,
  );
  const host = connectionTo(pool.coordinator);

  await renewMarkers(host, [FOLDER]);
  const [found] = await scanFolders(host, dirname(FOLDER));
  expect(found?.marker).toEqual({
    owner: "urn:pulumi:web-1",
    isoName: "web-1.iso",
    isCopy: false,
    isUnderWay: true,
  });
});

test.each<[string, Call]>([
  ["taken over", { program: "dd", args: /of=pending/ }],
  ["touched", { program: "touch", args: /pending/ }],
])("a marker that is removed while it is %s stays away", async (_how, call) => {
  await using pool = await startPool({ transport: "sshd" });
  const marker = markedFolder(pool.coordinator);
  const host = connectionTo(pool.coordinator);
  if (call.program === "touch") await renewMarkers(host, [FOLDER]);

  await using gate = await Gate.await(pool.coordinator, call);
  const renewing = renewMarkers(host, [FOLDER]);
  const renewal = await gate.halted;
  rmSync(marker);
  renewal.run();
  await renewing;
  expect(existsSync(marker)).toBe(false);
});

test("a renewal does not wait for the commands that take all channels", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const host = connectionTo(pool.coordinator);
  const options = { purpose: "hold a channel", timeoutMs: 30_000 };
  let ended = 0;
  const holding = Array.from({ length: MAX_CHANNELS }, () =>
    host.exec(sh`sleep 4`, options).then(() => ended++),
  );
  await renewMarkers(host, [FOLDER]);
  expect(ended).toBe(0);
  await Promise.all(holding);
});
