import { utils } from "ssh2";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { startPool } from "../simulator";
import { addVm, attach, attachmentArguments, detach } from "./drive";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, setConfiguration } from "./resource";
import { warningsOfThisFile } from "./warnings";

const warnings = warningsOfThisFile();

beforeEach(() => setConfiguration());
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A disc on a host whose SSH is then switched off. */
async function start() {
  const pool = await startPool({ transport: "embedded" });
  const state = await createDisc(argumentsFor(pool.coordinator));
  await pool.coordinator.stopSshd();
  return { pool, state, [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose]() };
}

test("a delete whose host is gone fails, and says how to go on without it", async () => {
  await using disc = await start();
  const deletion = deleteDisc(disc.state);
  await expect(deletion).rejects.toThrow(
    /Nothing listens for SSH.*PULUMI_XEN_DELETE_UNREACHABLE=true.*pulumi destroy --run-program/,
  );
  expect(warnings()).toEqual([]);
  await disc.pool.coordinator.startSshd();
  await deleteDisc(disc.state);
  expect(await disc.pool.leftovers()).toEqual(nothing);
});

test.each([
  ["the variable", () => vi.stubEnv("PULUMI_XEN_DELETE_UNREACHABLE", "true")],
  ["the configuration", () => setConfiguration({ "xen:deleteUnreachable": "true" })],
])("%s lets it succeed, with a warning of what is left there", async (_by, allow) => {
  await using disc = await start();
  await allow();
  await deleteDisc(disc.state);
  const { srUuid, srPath, isoName, port } = disc.state;
  expect(warnings()).toEqual([
    expect.stringMatching(
      `left on 127.0.0.1: SR ${srUuid}, ${srPath}/${isoName}.*` +
        `\`npx pulumi-xen-iso sweep --host 127.0.0.1 --port ${port} --uuid ${srUuid}\``,
    ),
  ]);
});

test("an attachment's delete goes on without its host, too, with a warning of the drive", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const { vdiUuid = "" } = await createDisc(argumentsFor(pool.coordinator));
  const { vm } = addVm(pool);
  const { state } = await attach(attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid }));
  await pool.coordinator.stopSshd();
  await expect(detach(state)).rejects.toThrow(/Nothing listens for SSH.*PULUMI_XEN_DELETE_UNREACHABLE=true/);
  vi.stubEnv("PULUMI_XEN_DELETE_UNREACHABLE", "true");
  await detach(state);
  expect(warnings()).toEqual([
    expect.stringMatching(
      `the disc in CD drive ${state.vbdUuid} of VM ${vm.uuid}.*\`xe vbd-eject uuid=${state.vbdUuid}\``,
    ),
  ]);
});

test("the variable goes before the configuration", async () => {
  await using disc = await start();
  await setConfiguration({ "xen:deleteUnreachable": "true" });
  vi.stubEnv("PULUMI_XEN_DELETE_UNREACHABLE", "false");
  await expect(deleteDisc(disc.state)).rejects.toThrow(/Nothing listens for SSH/);
});

test("a value that is none is named", async () => {
  await using disc = await start();
  vi.stubEnv("PULUMI_XEN_DELETE_UNREACHABLE", "yes");
  await expect(deleteDisc(disc.state)).rejects.toThrow("PULUMI_XEN_DELETE_UNREACHABLE takes true or false");
});

test.each<[string, (state: TempIsoState) => TempIsoState, RegExp]>([
  ["another host key", (state) => ({ ...state, hostKey: anotherKey() }), /host key/],
  ["a refused login", (state) => ({ ...state, user: "nobody" }), /refused the login/],
])("%s is no host that is gone", async (_what, change, refusal) => {
  await using disc = await start();
  await disc.pool.coordinator.startSshd();
  vi.stubEnv("PULUMI_XEN_DELETE_UNREACHABLE", "true");
  await expect(deleteDisc(change(disc.state))).rejects.toThrow(refusal);
  expect(warnings()).toEqual([]);
});

function anotherKey(): string {
  return utils.generateKeyPairSync("ed25519").public;
}
