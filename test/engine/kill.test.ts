import { existsSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Call, Gate, type HaltedCall } from "../faults/gate";
import { type Operation, STEPS } from "../faults/steps";
import { nothing } from "../host/pool";
import { type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { imageBytes } from "../unit/image";
import type { RunningCommand } from "./command";
import { findEngine } from "./engine";
import { providersOf } from "./processes";
import { connectionTo, discProgram } from "./programs";
import { makeProject, type Project } from "./project";
import { Stack } from "./stack";

const MIB = 1024 ** 2;

/** How long a provider may take to notice that its engine is gone, to undo, and to end. */
const END = { timeout: 60_000, interval: 200 };

/** Who is killed with SIGKILL. */
const VICTIMS = {
  "the engine alone": (command: RunningCommand) => command.kill("SIGKILL"),
  "the whole process group": (command: RunningCommand) => command.killGroup("SIGKILL"),
} as const;

type Victim = keyof typeof VICTIMS;

/** A host and a stack with one disc, which is not made yet. */
class Scene implements AsyncDisposable {
  private constructor(
    readonly pool: SimulatedPool,
    readonly project: Project,
    readonly stack: Stack,
  ) {}

  static async start(imageMib?: number): Promise<Scene> {
    const pool = await startPool({ transport: "sshd" });
    const args = { isoPath: "web-1.iso", connection: connectionTo(pool.coordinator) };
    const project = await makeProject({ ...discProgram(args), "web-1.iso": imageBytes("#cloud-config") });
    if (imageMib !== undefined) {
      await using image = await open(join(project.folder, "web-1.iso"), "r+");
      await image.truncate(imageMib * MIB);
    }
    return new Scene(pool, project, await Stack.create(await findEngine(), project.folder));
  }

  get host(): SimulatedHost {
    return this.pool.coordinator;
  }

  /** What a user does after an engine was killed, and what is there then. */
  async expectNextUpToPutItRight(): Promise<void> {
    await expect.poll(() => providersOf(this.stack), END).toEqual([]);
    await this.stack.run(["cancel", "--yes"]);
    await this.stack.up();
    await this.expectOneDisc();
  }

  /** Exactly one disc, which is the one that the state names, and no process left. */
  async expectOneDisc(): Promise<void> {
    const { srUuid } = await this.stack.outputs();
    const { srs, pbds, vdis, paths } = await this.pool.leftovers();
    expect(srs.map(({ uuid }) => uuid)).toEqual([srUuid]);
    expect([pbds.length, vdis.length, paths.length]).toEqual([1, 1, 3]);
    expect(await providersOf(this.stack)).toEqual([]);
  }

  async expectDestroyToLeaveNothing(): Promise<void> {
    await this.stack.destroy();
    expect(await this.pool.leftovers()).toEqual(nothing);
    expect(await providersOf(this.stack)).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that lives on, which is what these tests are to find, would do so for ever.
    for (const { pid } of await providersOf(this.stack)) process.kill(pid, "SIGKILL");
    await this.stack[Symbol.asyncDispose]();
    await this.project[Symbol.asyncDispose]();
    await this.pool[Symbol.asyncDispose]();
  }
}

describe("in the middle of an upload of 1 GiB", () => {
  test.each(Object.keys(VICTIMS) as Victim[])("%s is killed: the next up makes the disc", async (victim) => {
    await using scene = await Scene.start(1024);
    const up = scene.stack.start("up");
    await uploadOf(scene, 32 * MIB);
    VICTIMS[victim](up);
    await up.done;
    await scene.expectNextUpToPutItRight();
    await scene.expectDestroyToLeaveNothing();
  });
});

describe("in a create", () => {
  test.each([
    ["the engine alone", "make the folder"],
    ["the whole process group", "receive the image"],
    ["the engine alone", "sr-create"],
    ["the whole process group", "sr-create"],
    ["the engine alone", "remove the marker"],
  ] as const)("%s is killed at `%s`: the next up makes the disc", async (victim, step) => {
    await using scene = await Scene.start();
    await killAt(scene, "create", step, victim);
    await scene.expectNextUpToPutItRight();
    await scene.expectDestroyToLeaveNothing();
  });
});

describe("in a delete", () => {
  test.each([
    ["the engine alone", "pbd-unplug"],
    ["the whole process group", "sr-forget"],
    ["the engine alone", "remove the folder"],
  ] as const)("%s is killed at `%s`: the next destroy takes the rest", async (victim, step) => {
    await using scene = await Scene.start();
    await scene.stack.up();
    await killAt(scene, "delete", step, victim);
    await expect.poll(() => providersOf(scene.stack), END).toEqual([]);
    await scene.stack.run(["cancel", "--yes"]);
    await scene.expectDestroyToLeaveNothing();
  });
});

describe("Ctrl-C in a create", () => {
  test("once: the create ends, and it is stored", async () => {
    await using scene = await Scene.start();
    await interruptedAt(scene, "sr-create", async (up, call) => {
      up.killGroup("SIGINT");
      await up.waitFor(/press \^C again/);
      call.run();
      await up.done;
    });
    expect(await pendingOf(scene)).toEqual([]);
    const [disc] = scene.pool.xapi.srs;
    await scene.stack.up();
    await scene.expectOneDisc();
    expect(await scene.stack.outputs()).toMatchObject({ status: "ready", srUuid: disc?.uuid });
    await scene.expectDestroyToLeaveNothing();
  });

  // The engine ends the provider process then, and records that it does not know what became of the create.
  test("twice: the next up clears what was begun", async () => {
    await using scene = await Scene.start();
    await interruptedAt(scene, "sr-create", async (up, call) => {
      up.killGroup("SIGINT");
      await up.waitFor(/press \^C again/);
      up.killGroup("SIGINT");
      await up.done;
      call.run();
    });
    expect(await pendingOf(scene)).toEqual(["creating"]);
    await expect.poll(() => providersOf(scene.stack), END).toEqual([]);
    await scene.stack.up();
    await scene.expectOneDisc();
    await scene.expectDestroyToLeaveNothing();
  });
});

/** Runs an up to a step of its create. */
async function interruptedAt(
  scene: Scene,
  step: string,
  interrupt: (up: RunningCommand, call: HaltedCall) => Promise<void>,
): Promise<void> {
  await using gate = await Gate.await(scene.host, callOf("create", step));
  const up = scene.stack.start("up");
  await interrupt(up, await gate.halted);
}

/** Operations of which the engine does not know how they ended. */
async function pendingOf({ stack }: Scene): Promise<string[]> {
  return ((await stack.export()).deployment.pending_operations ?? []).map(({ type }) => type);
}

/** Runs the operation up to a step, at which the victim is killed; what was begun on the host goes on. */
async function killAt(scene: Scene, operation: Operation, step: string, victim: Victim): Promise<void> {
  await using gate = await Gate.await(scene.host, callOf(operation, step));
  const command = scene.stack.start(operation === "delete" ? "destroy" : "up");
  const call = await gate.halted;
  VICTIMS[victim](command);
  await command.done;
  call.run();
}

function callOf(operation: Operation, name: string): Call {
  const step = STEPS.find((each) => each.operation === operation && each.name === name);
  if (!step?.call) throw new TypeError(`There is no step ${operation} / ${name} with a call.`);
  return step.call;
}

/** Waits until so much of the image is on the host. */
async function uploadOf({ pool, host }: Scene, bytes: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const { paths } = await pool.leftovers();
        const path = paths.map((each) => host.path(each.replace(/^[^:]+:/, ""))).find(isUpload);
        return path && existsSync(path) ? statSync(path).size : 0;
      },
      { timeout: 60_000, interval: 20 },
    )
    .toBeGreaterThan(bytes);
}

const isUpload = (path: string) => path.endsWith("/upload");
