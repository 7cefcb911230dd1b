import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { FoundTempIso } from "../../provider/host/find-temp-isos";
import { type Call, Gate } from "../faults/gate";
import { newSeed, Random } from "../faults/random";
import { runCommandLine } from "../host/command-line";
import { nothing } from "../host/pool";
import { type SimulatedPool, startPool } from "../simulator";
import { imageBytes } from "../unit/image";
import { findEngine } from "./engine";
import { providersOf } from "./processes";
import { connectionTo } from "./programs";
import { makeProject, type Project, writeFiles } from "./project";
import { Stack } from "./stack";

/** So many stacks, each with a host of its own, of which so many ups are killed one after another. */
const STACKS = 4;
const KILLS = 5;

const DISCS = ["a", "b", "c"];

/** How long a provider may take to notice that its engine is gone, to undo, and to end. */
const END = { timeout: 120_000, interval: 500 };

/** At which every create of a small image comes by. */
const CALLS: readonly [Call, ...Call[]] = [
  { program: "mkdir", args: /^-- [0-9a-f-]{36}$/ },
  { program: "dd", args: /count=1/ },
  { program: "xe", args: /^sr-create / },
  { program: "xe", args: /^sr-scan / },
  { program: "xe", args: /^vdi-list / },
  { program: "rm", args: /pending/ },
];

test("a sweep after 20 killed ups leaves exactly what the states name", { timeout: 900_000 }, async () => {
  const seed = Number(process.env["SWEEP_SEED"] ?? newSeed());
  console.info(`SWEEP_SEED=${seed}`);
  const engine = await findEngine();
  const random = new Random(seed);
  const outcomes = await Promise.allSettled(
    Array.from({ length: STACKS }, async () => {
      await using scene = await Scene.start(engine, new Random(random.next() * 2 ** 32));
      for (let round = 0; round < KILLS; round++) await scene.killAnUp(round);
      return await scene.sweepOrphans();
    }),
  );
  const orphans = outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
  console.info(`orphans of each stack: ${orphans.join(", ")}`);
  // Else the kills were too late, or too early, to show anything.
  expect(Math.max(...orphans)).toBeGreaterThan(0);
});

/** A host, and a stack whose ups get killed. */
class Scene implements AsyncDisposable {
  private constructor(
    readonly pool: SimulatedPool,
    readonly project: Project,
    readonly stack: Stack,
    readonly random: Random,
  ) {}

  static async start(engine: Awaited<ReturnType<typeof findEngine>>, random: Random): Promise<Scene> {
    const pool = await startPool({ transport: "sshd" });
    const project = await makeProject({ "index.js": "", "seed.iso": imageBytes("#cloud-config") });
    return new Scene(pool, project, await Stack.create(engine, project.folder), random);
  }

  get host() {
    return this.pool.coordinator;
  }

  /** Kills an up of new discs at some step of one of them; what was begun on the host goes on. */
  async killAnUp(round: number): Promise<void> {
    const killed = this.random.pick(CALLS);
    const skip = Math.floor(this.random.next() * DISCS.length);
    const pauseMs = this.random.next() * 1_000;
    const isEngineAlone = this.random.next() < 0.25;

    await writeFiles(this.project, { "index.js": this.program(DISCS.map((disc) => `${disc}-${round}`)) });
    await using gate = await Gate.await(this.host, { ...killed, skip });
    const up = this.stack.start("up");
    const ended = up.done.then(({ output }) =>
      Promise.reject(new Error(`It ended before ${killed.program}: ${output}`)),
    );
    const call = await Promise.race([gate.halted, ended]);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    // In a process group of their own, the providers outlive their engine, and would undo what is under way. They are
    // stopped before it and killed after it: an engine that sees its provider die drops the pending create from the
    // state, and then no export names the disc.
    const providers = isEngineAlone ? [] : await providersOf(this.stack);
    for (const { pid } of providers) process.kill(pid, "SIGSTOP");
    up.killGroup("SIGKILL");
    for (const { pid } of providers) process.kill(pid, "SIGKILL");
    ended.catch(() => undefined);
    await up.done;
    call.run();
    await expect.poll(() => providersOf(this.stack), END).toEqual([]);
    await this.stack.run(["cancel", "--yes"]);
  }

  /** @returns how many there were */
  async sweepOrphans(): Promise<number> {
    await expect
      .poll(() => this.pool.xapi.calls.filter(({ status }) => status === undefined), END)
      .toEqual([]);
    // Of a session whose client is gone sshd learns a little later.
    await expect.poll(() => this.isUnderWay(), END).toBe(false);
    const named = await this.named();
    const before = await this.there();
    const file = join(this.project.folder, "stack.json");
    await writeFile(file, await this.stack.exportText());

    const sweep = ["sweep", "--stack", "test", "--except-stack-export", file, "--yes"];
    const { status, stdout, stderr } = await runCommandLine(this.host, sweep);
    expect(status, `${stdout}${stderr}`).toBe(0);
    expect(await this.there()).toEqual(named);
    expect(await runCommandLine(this.host, ["list"])).toMatchObject({ status: 0 });

    await writeFiles(this.project, { "index.js": "" });
    await this.stack.destroy();
    expect(await this.pool.leftovers()).toEqual(nothing);
    return before.folders.length - named.folders.length;
  }

  /** Whether some create still counts as going on. */
  async isUnderWay(): Promise<boolean> {
    const { stdout } = await runCommandLine(this.host, ["list", "--json"]);
    const { tempIsos } = JSON.parse(stdout) as { tempIsos: FoundTempIso[] };
    return tempIsos.some(({ isUnderWay }) => isUnderWay);
  }

  /** The SRs and folders that the state names. */
  async named() {
    const { deployment } = await this.stack.export();
    const discs = (deployment.resources ?? []).filter(({ type }) => type.endsWith(":TempIso"));
    const outputs = (name: string) => discs.map((disc) => String(disc.outputs?.[name])).sort();
    return { srs: outputs("srUuid"), folders: outputs("srPath") };
  }

  /** The SRs and folders that the host has. */
  async there() {
    const { srs, paths } = await this.pool.leftovers();
    const folders = paths.map((path) => /^[^:]+:(\/var\/opt\/xen-iso\/[^/]+)/.exec(path)?.[1]);
    return { srs: srs.map(({ uuid }) => uuid).sort(), folders: [...new Set(folders)].sort() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that lives on would do so for ever.
    for (const { pid } of await providersOf(this.stack)) process.kill(pid, "SIGKILL");
    await this.stack[Symbol.asyncDispose]();
    await this.project[Symbol.asyncDispose]();
    await this.pool[Symbol.asyncDispose]();
  }

  private program(names: readonly string[]): string {
    const args = { isoPath: "seed.iso", connection: connectionTo(this.host) };
    return `const { XenTempIso } = require("pulumi-xen-iso");
for (const name of ${JSON.stringify(names)}) new XenTempIso(name, ${JSON.stringify(args)});
`;
  }
}
