import { mkdirSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { randomImage, sizeName } from "../images";
import { interleave, time } from "../measure";
import { OpenSsh } from "../open-ssh";
import type { Plan } from "../plan";
import { ProviderProcess } from "../provider-process";
import type { Count, Findings } from "../result";
import { SETTLED_MS } from "../site";
import { startPool } from "../../simulator";

const COPIES = "/var/opt/copies";

/** Longer than a connection is kept open without work. */
const IDLE_MS = 6_000;

/** One disc on every host of a pool, against scp to all of them at once. */
export async function pool(plan: Plan, folder: string): Promise<Findings> {
  await using pool = await startPool({ transport: "sshd", hosts: plan.hosts });
  await using provider = await ProviderProcess.start();
  const image = randomImage(folder, plan.poolImageBytes);
  const { host, port, user, privateKey, hostKey } = pool.coordinator.connection;
  const hostConnections = Object.fromEntries(
    pool.hosts.map(({ name, connection: { port, hostKey, privateKey } }) => [
      name,
      { port, hostKey, privateKey },
    ]),
  );
  const args = {
    isoPath: image,
    owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
    poolWide: true,
    hostConnections,
    connection: { host, port, user, privateKey, hostKey },
  };
  const counts: Count[] = [];
  await sleep(SETTLED_MS);
  const copy = `${COPIES}/copy.iso`;
  for (const each of pool.hosts) mkdirSync(each.path(COPIES), { recursive: true });
  const { create, scp } = await interleave(plan.slowRounds, {
    create: async () => {
      const inputs = await provider.check(args);
      const readBefore = provider.readBytes();
      const connectionsBefore = pool.hosts.map(({ connections }) => connections);
      let state: Awaited<ReturnType<typeof provider.create>> | undefined;
      const durationMs = await time(async () => void (state = await provider.create(inputs)));
      const connections = pool.hosts.map((each, index) => each.connections - (connectionsBefore[index] ?? 0));
      counts.push(
        { what: `connections to a host of ${plan.hosts}`, value: Math.max(...connections), atMost: 1 },
        {
          what: `bytes read here for a disc of ${sizeName(plan.poolImageBytes)} on ${plan.hosts} hosts`,
          value: provider.readBytes() - readBefore,
          atMost: Math.round(plan.poolImageBytes * 1.25),
        },
      );
      if (state) await provider.delete(state);
      await sleep(IDLE_MS);
      return durationMs;
    },
    scp: async () => {
      const durationMs = await time(() =>
        Promise.all(pool.hosts.map(({ connection }) => new OpenSsh(connection).scp(image, copy))),
      );
      for (const each of pool.hosts) rmSync(each.path(copy));
      return durationMs;
    },
  });
  const row = {
    what: `one disc of ${sizeName(plan.poolImageBytes)} on ${plan.hosts} hosts`,
    against: "scp to all of them at once",
    value: scp.medianMs / create.medianMs,
    unit: "times as fast",
    target: { atLeast: 1 },
    timings: { create, scp },
  } as const;
  return { rows: [row], counts };
}
