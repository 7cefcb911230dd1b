import { createHash, randomBytes } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type Progress, progressChannel } from "../../provider/host/progress";
import { effectiveConnection } from "../../provider/lifecycle/connection";
import { toSshTarget } from "../../provider/lifecycle/ssh-target";
import { sh } from "../../provider/ssh/sh";
import { SharedConnection } from "../../provider/ssh/shared-connection";
import { startPool } from "../simulator";
import { Proxy } from "../simulator/proxy";
import { imageBytes, writeTemporary } from "../unit/image";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, setConfiguration } from "./resource";

const MIB = 1024 ** 2;
const FOLDERS = "/var/opt/xen-iso";

/** What dd, its pipe and sshd hold of each of the streams. */
const HELD_BYTES = 6 * 256 * 1024;

test("over a slow link, an upload takes one login, tells the truth, and lets commands through", async () => {
  await setConfiguration();
  await using pool = await startPool({ transport: "sshd" });
  // 9 MiB take longer than a link may be silent.
  await using proxy = await Proxy.start(pool.coordinator.connection, { bytesPerSecond: 288 * 1024 });
  const isoPath = writeTemporary(Buffer.concat([imageBytes("slow"), randomBytes(9 * MIB)]));
  const args = argumentsFor(pool.coordinator, { isoPath });
  const connection = { ...(args["connection"] as object), host: proxy.host, port: proxy.port };

  const aheadBytes: number[] = [];
  const onProgress = (message: unknown) => {
    const progress = message as Progress;
    if (progress.step === "uploading") aheadBytes.push(progress.sentBytes - bytesThere());
  };
  const bytesThere = () => {
    const folder = pool.coordinator.path(FOLDERS);
    const uploads = readdirSync(folder).map((name) => `${folder}/${name}/upload`);
    return uploads.filter(existsSync).reduce((sum, path) => sum + statSync(path).blocks * 512, 0);
  };
  subscribe(progressChannel.name, onProgress);
  const creating = createDisc({ ...args, connection });
  await sleep(12_000);
  const startedAt = Date.now();
  const host = SharedConnection.to(await toSshTarget(effectiveConnection(connection)));
  await host.exec(sh`true`, { purpose: "do nothing", timeoutMs: 60_000, isUrgent: true });
  expect(Date.now() - startedAt).toBeLessThan(8_000);

  const state = await creating;
  unsubscribe(progressChannel.name, onProgress);
  expect(aheadBytes.length).toBeGreaterThan(10);
  expect(Math.max(...aheadBytes)).toBeLessThan(HELD_BYTES);
  const file = readFileSync(pool.coordinator.path(`${state.srPath}/${state.isoName}`));
  expect(createHash("sha256").update(file).digest("hex")).toBe(state.isoSha256);
  expect(proxy.connections).toHaveLength(1);
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
}, 180_000);
