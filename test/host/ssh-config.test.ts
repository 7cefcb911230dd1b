import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { tempIso } from "../../provider/lifecycle/provider";
import { startPool, type SimulatedHost } from "../simulator";
import { nothing } from "./pool";
import { argumentsFor, checked, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

/** A configuration in which `dom0` is the host, its key, and a file of its host key. */
function configurationFor({ connection }: SimulatedHost): { file: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), "ssh-config-"));
  const { host, port, privateKey, hostKey } = connection;
  writeFileSync(join(folder, "key"), privateKey, { mode: 0o600 });
  writeFileSync(join(folder, "known_hosts"), `dom0-key ${hostKey}\n`);
  const file = join(folder, "config");
  writeFileSync(
    file,
    `Host dom0
      HostName ${host}
      Port ${port}
      IdentityFile ${folder}/key
      IdentityAgent none
      HostKeyAlias dom0-key
      UserKnownHostsFile ${folder}/known_hosts
    `,
  );
  return { file, folder };
}

test("a disc is made, read and deleted by an alias, and its state holds nothing of the configuration", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const host = pool.coordinator;
  const { file, folder } = configurationFor(host);
  const state = await createDisc(
    argumentsFor(host, { connection: { host: "dom0", sshConfig: file, dialErrorLimit: 3 } }),
  );
  const { connection, isoPath: _, ...rest } = state as typeof state & { isoPath?: string };
  expect(connection).toEqual({ host: "dom0", sshConfig: file, dialErrorLimit: 3 });
  expect(state).toMatchObject({ host: "dom0", port: 22, user: "root" });
  const text = JSON.stringify(rest);
  for (const value of [host.connection.host, String(host.connection.port), folder, "dom0-key"])
    expect(text).not.toContain(value);
  expect(text).not.toContain(readFileSync(join(folder, "key"), "utf8").split("\n")[1]);

  // As another process has it, whose machine reaches the host in another way.
  const moved = configurationFor(host).file;
  const elsewhere = { ...state, connection: { host: "dom0", sshConfig: moved, dialErrorLimit: 3 } };
  const read = await readDisc(elsewhere);
  expect(read.props).toMatchObject({ status: "ready", port: 22 });
  await deleteDisc(elsewhere);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a disc of before, whose state has the defaults for port and user, has no diff and is reached by its alias", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const host = pool.coordinator;
  const { file } = configurationFor(host);
  const args = argumentsFor(host, { connection: { host: "dom0", sshConfig: file } });
  const state = await createDisc(args);
  const news = await checked(args, state as never);
  expect(await tempIso.diff(state.srUuid ?? "", state as never, news as never)).toMatchObject({
    changes: false,
  });
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
});
