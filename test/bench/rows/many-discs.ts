import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findEngine } from "../../engine/engine";
import { connectionTo } from "../../engine/programs";
import { makeProject, type ProjectFiles } from "../../engine/project";
import { Stack } from "../../engine/stack";
import { type SimulatedHost, startPool } from "../../simulator";
import { sizeName, sparseImage } from "../images";
import { interleave, time, timingOf } from "../measure";
import { OpenSsh } from "../open-ssh";
import { MANY_DISCS, type Plan, SMALL_BYTES } from "../plan";
import type { Count, Findings } from "../result";
import { Site } from "../site";

/** What a call of `xe` takes on a host that has something else to do. */
const LATENCY_MS = 100;

/** As many as OpenSSH lets run at once on one connection. */
const AT_ONCE = 10;

const XE_CALLS_PER_CREATE = 4;

/** A hundred small discs in one `pulumi up`. */
export async function manyDiscs(plan: Plan, folder: string): Promise<Findings> {
  const image = sparseImage(folder, "many", SMALL_BYTES);
  const counts: Count[] = [];
  const { discs, empty, limit, reference } = await interleave(plan.slowRounds, {
    discs: async () => {
      const { durationMs, ...seen } = await timeDiscs(image);
      counts.push(...countsOf(seen));
      return durationMs;
    },
    empty: () => timeUp(EMPTY_PROGRAM),
    limit: () => timeLimit(image),
    reference: () => timeReference(plan, image),
  });
  const ownMs = discs.medianMs - empty.medianMs;
  const referenceMs = (reference.medianMs * MANY_DISCS) / plan.referenceDiscs;
  const what = `${MANY_DISCS} images of ${sizeName(SMALL_BYTES)}, --parallel 100, xe taking ${LATENCY_MS} ms`;
  const timings = {
    [`pulumi up of ${MANY_DISCS} discs`]: discs,
    [`pulumi up of ${MANY_DISCS} empty resources`]: empty,
    "the difference": timingOf([ownMs]),
  };
  return {
    rows: [
      {
        what,
        against: `the same xe calls by xargs -P ${AT_ONCE} on the host`,
        value: ownMs / limit.medianMs,
        unit: "times its time",
        target: { atMost: 1.3 },
        timings: { ...timings, "xargs on the host": limit },
        note: "the engine's own time for as many empty resources is taken off",
      },
      {
        what,
        against: "a port of the reference, one resource after another",
        value: referenceMs / ownMs,
        unit: "times as fast",
        target: { atLeast: 8 },
        timings: { ...timings, [`port, ${plan.referenceDiscs} discs`]: reference },
        note: `the port's time is reckoned from ${plan.referenceDiscs} discs`,
      },
    ],
    counts,
  };
}

function countsOf({ connections, xeCalls }: { connections: number; xeCalls: number }): Count[] {
  return [
    { what: `connections for ${MANY_DISCS} discs in one up`, value: connections, atMost: 1 },
    {
      what: `xe calls for ${MANY_DISCS} discs in one up`,
      value: xeCalls,
      atMost: MANY_DISCS * XE_CALLS_PER_CREATE,
    },
  ];
}

async function timeDiscs(image: string) {
  await using pool = await startPool({ transport: "sshd", latencyMs: LATENCY_MS });
  const program = `
    const { XenTempIso } = require("pulumi-xen-iso");
    const connection = ${JSON.stringify(connectionTo(pool.coordinator))};
    for (let number = 0; number < ${MANY_DISCS}; number++)
      new XenTempIso("disc-" + number, { isoPath: "image-" + number + ".iso", connection });
  `;
  const durationMs = await timeUp({ "index.js": program, ...imagesLike(image) });
  if (pool.xapi.vdis.length !== MANY_DISCS) throw new Error(`The up made ${pool.xapi.vdis.length} discs.`);
  return { durationMs, connections: pool.coordinator.connections, xeCalls: pool.xapi.calls.length };
}

/** As many images as discs, each with a content of its own. */
function imagesLike(image: string): ProjectFiles {
  const images = Array.from({ length: MANY_DISCS }, (_, number) => {
    const bytes = readFileSync(image);
    bytes.writeUInt32LE(number, bytes.length - 4);
    return [`image-${number}.iso`, bytes] as const;
  });
  return Object.fromEntries(images);
}

const EMPTY_PROGRAM: ProjectFiles = {
  "index.js": `
    const { dynamic } = require("@pulumi/pulumi");
    const provider = {
      check: async (olds, inputs) => ({ inputs }),
      create: async () => ({ id: "empty", outs: {} }),
    };
    for (let number = 0; number < ${MANY_DISCS}; number++)
      new dynamic.Resource(provider, "empty-" + number, {});
  `,
};

async function timeUp(files: ProjectFiles): Promise<number> {
  await using project = await makeProject(files);
  await using stack = await Stack.create(await findEngine(), project.folder);
  return await time(() => stack.up({ args: ["--parallel", "100", "--suppress-progress"] }));
}

/** The calls of `xe` alone, started by the host itself as many at once as SSH allows. */
async function timeLimit(image: string): Promise<number> {
  await using pool = await startPool({ transport: "sshd", latencyMs: LATENCY_MS });
  const host = pool.coordinator;
  makeFolders(host, image);
  const create = `sr=$(xe sr-create name-label=limit-N type=iso content-type=iso \
device-config:location=${FOLDER}/N device-config:legacy_mode=true host-uuid=${host.uuid}) &&
xe sr-scan uuid=$sr && xe pbd-list sr-uuid=$sr params=uuid && xe vdi-list sr-uuid=$sr params=uuid`;
  const script = `begun=$(date +%s%N)
seq ${MANY_DISCS} | xargs -P ${AT_ONCE} -I N bash -c '${create}' >/dev/null || exit
echo $(($(date +%s%N) - begun))`;
  const printed = await new OpenSsh(host.connection).run(script);
  if (pool.xapi.vdis.length !== MANY_DISCS) throw new Error(`xargs made ${pool.xapi.vdis.length} discs.`);
  return Number(printed) / 1e6;
}

const FOLDER = "/var/opt/limit";

function makeFolders(host: SimulatedHost, image: string): void {
  for (let number = 1; number <= MANY_DISCS; number++) {
    const folder = host.path(`${FOLDER}/${number}`);
    mkdirSync(folder, { recursive: true });
    copyFileSync(image, join(folder, "image.iso"));
  }
}

async function timeReference(plan: Plan, image: string): Promise<number> {
  await using site = await Site.start({ latencyMs: LATENCY_MS });
  return await time(async () => {
    for (let number = 0; number < plan.referenceDiscs; number++) await site.timeReference(image);
  });
}
