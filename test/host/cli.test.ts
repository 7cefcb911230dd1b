import { spawn } from "node:child_process";
import { appendFileSync, chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, test } from "vitest";
import type { FoundTempIso } from "../../provider/host/find-temp-isos";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { Gate } from "../faults/gate";
import { isSshdAvailable, type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { writeTemporary } from "../unit/image";
import { commandLineOf, environmentOf, runCommandLine } from "./command-line";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

/** A process for each command line takes its time on a loaded machine. */
const LOADED = { timeout: 240_000 };

const SR_MOUNT = "/var/run/sr-mount";

const urnOf = (stack: string, name: string) =>
  `urn:pulumi:${stack}::shop::pulumi-nodejs:dynamic/xen:TempIso::${name}`;

const discOf = (host: SimulatedHost, stack: string, name: string, more: Record<string, unknown> = {}) =>
  createDisc(argumentsFor(host, { owner: urnOf(stack, name), ...more }));

/** As a killed create leaves it: marked by a session that is no more. */
function abandon(host: SimulatedHost, { srPath, owner, isoName }: TempIsoState): void {
  const marker = [`owner=${owner}`, `iso=${isoName}`, "size=1", "session=1", "started=then", ""];
  writeFileSync(host.path(`${srPath}/pending`), marker.join("\n"));
}

/** What `list --json` says, by folder. */
async function listed(host: SimulatedHost, ...args: string[]): Promise<Map<string, FoundTempIso>> {
  const { stdout } = await runCommandLine(host, ["list", "--json", ...args]);
  const { tempIsos } = JSON.parse(stdout) as { tempIsos: FoundTempIso[] };
  return new Map(tempIsos.map((found) => [found.srPath ?? found.folderUuid, found]));
}

/** A host with a disc of each kind, and what is nobody's of this package. */
/** Flags with an export of a stack that began to make these discs, and holds none. */
function unfinished(...discs: readonly TempIsoState[]): string[] {
  const operations = discs.map(({ srPath }) => ({
    type: "creating",
    resource: { inputs: { nonce: basename(srPath) } },
  }));
  const text = JSON.stringify({ version: 3, deployment: { pending_operations: operations } });
  return ["--except-stack-export", writeTemporary(Buffer.from(text), "stack.json")];
}

/** Selects those of the stack `dev`, which began to make these. */
const ofDev = (...discs: readonly TempIsoState[]) => ["--stack", "dev", ...unfinished(...discs)];

class Scene implements AsyncDisposable {
  private constructor(
    readonly pool: SimulatedPool,
    readonly live: TempIsoState,
    readonly pending: TempIsoState,
    readonly corpse: TempIsoState,
    readonly folder: TempIsoState,
  ) {}

  static async start(): Promise<Scene> {
    const pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const corpse = await discOf(host, "dev", "corpse", { srMountPath: SR_MOUNT });
    await host.reboot();
    const live = await discOf(host, "dev", "live");
    const pending = await discOf(host, "dev", "pending");
    abandon(host, pending);
    const folder = await discOf(host, "prod", "folder");
    pool.xapi.forgetSr(folder.srUuid ?? "");
    return new Scene(pool, live, pending, corpse, folder);
  }

  get host(): SimulatedHost {
    return this.pool.coordinator;
  }

  /** The folders of the discs that are still there. */
  async left(): Promise<(string | undefined)[]> {
    return [...(await listed(this.host)).keys()].sort();
  }

  sweep(...args: string[]) {
    return runCommandLine(this.host, ["sweep", "--yes", ...args]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.pool[Symbol.asyncDispose]();
  }
}

describe.runIf(isSshdAvailable())("list", LOADED, () => {
  test("shows every disc with its state, owner, age, size, SR and drives", async () => {
    await using scene = await Scene.start();
    const { host, live, pending, corpse, folder, pool } = scene;
    pool.xapi.addVm({ name: "web-1", powerState: "running", drives: [{ vdiUuid: live.vdiUuid ?? "" }] });
    pool.xapi.addVm({ name: "web-2", drives: [{ vdiUuid: corpse.vdiUuid ?? "" }] });
    const found = await listed(host);
    expect(found.size).toBe(4);
    expect(found.get(live.srPath)).toMatchObject({
      state: "live",
      owner: live.owner,
      sizeBytes: live.isoSize,
      srs: [{ uuid: live.srUuid, isAttached: true }],
      drives: [{ vmName: "web-1", powerState: "running" }],
      harm: [],
    });
    expect(found.get(live.srPath)?.ageSeconds).toBeGreaterThanOrEqual(0);
    expect(found.get(pending.srPath)).toMatchObject({
      state: "pending",
      owner: pending.owner,
      isUnderWay: false,
    });
    expect(found.get(corpse.srPath)).toMatchObject({
      state: "corpse",
      owner: corpse.owner,
      isFolderThere: false,
      sizeBytes: corpse.isoSize,
      harm: [
        expect.stringContaining("HA"),
        expect.anything(),
        expect.stringContaining("web-2 does not start"),
      ],
    });
    expect(found.get(folder.srPath)).toMatchObject({ state: "folder without SR", srs: [] });

    const { status, stdout } = await runCommandLine(host, ["list"]);
    expect(status).toBe(3);
    expect(stdout).toMatch(
      new RegExp(`^live .* ${live.srUuid} +web-1 \\(running\\) +${live.srPath} +${live.owner}$`, "m"),
    );
    expect(stdout).toMatch(/^corpse +- /m);
    expect(stdout).toContain("VM web-2 does not start");
  });

  test("passes over what is nobody's of this package, and never enters a mount", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const host = pool.coordinator;
    const uuids = ["1", "2", "3", "4"].map((digit) => `${digit.repeat(8)}-aaaa-4aaa-8aaa-aaaaaaaaaaaa`);
    const [mounted = "", linked = "", readable = "", foreign = ""] = uuids;
    const at = (name: string) => host.path(`${SR_MOUNT}/${name}`);
    for (const name of [mounted, readable, foreign, "office"]) mkdirSync(at(name), { recursive: true });
    for (const name of [mounted, foreign, "office"]) chmodSync(at(name), 0o700);
    // By this one it would be listed, whatever else it is.
    for (const name of [mounted, "office"]) writeFileSync(`${at(name)}/pending`, "owner=x\n");
    writeFileSync(`${at(foreign)}/notes.txt`, "");
    symlinkSync("office", at(linked));
    appendFileSync(host.path("/proc/self/mounts"), `nfs:/isos /run/sr-mount/${mounted} nfs rw 0 0\n`);
    const { status, stdout } = await runCommandLine(host, ["list", "--sr-mount-path", SR_MOUNT, "/none"]);
    expect(stdout).toMatch(/^0 temporary ISOs on /);
    expect(status).toBe(0);

    writeFileSync(host.path("/proc/self/mounts"), "");
    expect((await listed(host, "--sr-mount-path", SR_MOUNT)).size).toBe(1);
  });

  test("tells what is on another host of the pool, and a sweep leaves it", async () => {
    await using pool = await startPool({ transport: "embedded", hosts: 2 });
    const [first, second] = pool.hosts;
    if (!first || !second) throw new Error("The pool was to have two hosts.");
    const state = await discOf(second, "dev", "web-1");
    expect((await listed(first)).get(state.srPath)).toMatchObject({ isHere: false, hostUuid: second.uuid });
    expect((await listed(second)).get(state.srPath)).toMatchObject({ isHere: true, state: "live" });
    expect((await runCommandLine(first, ["list"])).stdout).toMatch(/^live on xen2 /m);

    const sweep = ["sweep", ...ofDev(state), "--yes"];
    expect(await runCommandLine(first, sweep)).toMatchObject({
      status: 0,
      stdout: "Nothing to remove.\n",
    });
    expect(pool.xapi.srs).toHaveLength(1);
    expect(await runCommandLine(second, sweep)).toMatchObject({ status: 0 });
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe.runIf(isSshdAvailable())("sweep", LOADED, () => {
  test("removes exactly what is selected, of each kind", async () => {
    await using scene = await Scene.start();
    const { live, pending, corpse, folder, host } = scene;
    const begun = unfinished(live);
    expect(await scene.sweep("--stack", "de", ...begun)).toMatchObject({ status: 0 });
    expect(await scene.sweep("--owner", urnOf("dev", "liv"), ...begun)).toMatchObject({ status: 0 });
    expect(await scene.left()).toEqual([live, pending, corpse, folder].map(({ srPath }) => srPath).sort());

    const pendingSwept = await scene.sweep("--pending");
    expect(pendingSwept.stdout).toMatch(new RegExp(`^removed {2}${pending.srPath}$`, "m"));
    expect(pendingSwept.status).toBe(0);
    expect(await scene.left()).toEqual([live, corpse, folder].map(({ srPath }) => srPath).sort());

    expect(await scene.sweep("--lost")).toMatchObject({ status: 0 });
    expect(await scene.left()).toEqual([live.srPath]);
    expect(await readDisc(live)).toMatchObject({ props: { status: "ready" } });
    expect(await runCommandLine(host, ["list"])).toMatchObject({ status: 0 });

    expect(await scene.sweep("--stack", "dev", "--project", "blog", ...begun)).toMatchObject({ status: 0 });
    expect(await scene.left()).toEqual([live.srPath]);
    expect(await scene.sweep("--stack", "dev", "--project", "shop", ...begun)).toMatchObject({ status: 0 });
    expect(await scene.pool.leftovers()).toEqual(nothing);
  });

  test("keeps what a stack export holds, in a file or on stdin, and removes what it began", async () => {
    await using scene = await Scene.start();
    const { live, pending, corpse, folder, host } = scene;
    const exportOf = (...states: TempIsoState[]) =>
      JSON.stringify({
        version: 3,
        // Under other names, as after a rename.
        deployment: {
          resources: states.map((outputs) => ({ urn: "urn:pulumi:new", id: outputs.srUuid, outputs })),
          pending_operations: [live, pending, corpse].map(({ srPath }) => ({
            type: "creating",
            resource: { inputs: { nonce: basename(srPath) } },
          })),
        },
      });
    const file = writeTemporary(Buffer.from(exportOf(live, pending)), "stack.json");
    const byFile = await scene.sweep("--stack", "dev", "--except-stack-export", file);
    expect(byFile.stdout).toContain(`${live.srPath}: the stack export names it`);
    expect(byFile.status).toBe(0);
    expect(await scene.left()).toEqual([live, pending, folder].map(({ srPath }) => srPath).sort());
    expect(scene.pool.xapi.srs.map(({ uuid }) => uuid)).not.toContain(corpse.srUuid);

    const fromInput = ["sweep", "--yes", "--stack", "dev", "--except-stack-export", "-"];
    expect(await runCommandLine(host, fromInput, { input: exportOf(live) })).toMatchObject({ status: 0 });
    expect(await scene.left()).toEqual([live, folder].map(({ srPath }) => srPath).sort());
    expect(await runCommandLine(host, fromInput, { input: "" })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("--except-stack-export: "),
    });
    expect(await scene.left()).toHaveLength(2);
  });

  test("leaves what a running VM has in its drive, unless it ejects", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const disc = await discOf(host, "dev", "web-1");
    const { vdiUuid = "" } = disc;
    const { drives } = pool.xapi.addVm({ name: "web-1", powerState: "running", drives: [{ vdiUuid }] });
    const kept = await runCommandLine(host, ["sweep", ...ofDev(disc), "--yes"]);
    expect(kept.stdout).toMatch(/^kept .*the running VM web-1 has it in its drive; add --eject/m);
    expect(kept.status).toBe(3);
    expect(drives).toMatchObject([{ empty: false }]);
    expect(await runCommandLine(host, ["sweep", ...ofDev(disc), "--yes", "--eject"])).toMatchObject({
      status: 0,
    });
    expect(drives).toMatchObject([{ empty: true }]);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("never touches what another run is making", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    await using gate = await Gate.await(host, { program: "xe", args: /^sr-create/ });
    const creating = discOf(host, "dev", "web-1");
    const call = await gate.halted;
    for (const selector of [["--pending"], ofDev(), ["--lost"]]) {
      const { status } = await runCommandLine(host, ["sweep", ...selector, "--yes", "--eject"]);
      expect(status).toBe(selector[0] === "--lost" ? 0 : 3);
    }
    expect(await runCommandLine(host, ["list"])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^pending \(under way\)/m),
    });
    call.run();
    expect(await readDisc(await creating)).toMatchObject({ props: { status: "ready" } });
  });

  test("goes on past what cannot be removed, and says what the host said", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const held = await discOf(host, "dev", "web-1");
    const disk = { type: "Disk", vdiUuid: held.vdiUuid ?? "" } as const;
    pool.xapi.addVm({ name: "web-1", drives: [disk] });
    const other = await discOf(host, "dev", "web-2");
    const { status, stdout } = await runCommandLine(host, ["sweep", ...ofDev(held, other), "--yes"]);
    expect(stdout).toMatch(new RegExp(`^FAILED {3}${held.srPath}: The disc is attached to VM web-1`, "m"));
    expect(stdout).toMatch(/^removed /m);
    expect(status).toBe(1);
    expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([held.srUuid]);
  });

  test("removes an SR that a crash left without PBD and folder", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const { srUuid, srPath } = await discOf(pool.coordinator, "dev", "web-1");
    pool.xapi.pbds.splice(0);
    rmSync(pool.coordinator.path(srPath), { recursive: true });
    expect(await runCommandLine(pool.coordinator, ["sweep", "--lost", "--yes"])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`removed  SR ${srUuid}`),
    });
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("asks which project is meant where several have a stack of that name", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const disc = await discOf(host, "dev", "web-1");
    const owner = urnOf("dev", "web-1").replace("shop", "blog");
    const other = await createDisc(argumentsFor(host, { owner }));
    const { srUuid } = other;
    expect(await runCommandLine(host, ["sweep", ...ofDev(disc, other), "--yes"])).toMatchObject({
      status: 2,
      stderr: "Stacks of several projects are named dev; add --project (shop, blog).\n",
    });
    expect(pool.xapi.srs).toHaveLength(2);
    const ofShop = ["sweep", ...ofDev(disc, other), "--project", "shop", "--yes"];
    expect(await runCommandLine(host, ofShop)).toMatchObject({ status: 0 });
    expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([srUuid]);
  });

  test("never removes by a URN alone: another backend's stack, or a renamed one, can have the same", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const ours = await discOf(host, "dev", "web-1");
    // Of a colleague's stack of the same name, or of the one that `dev` was before it was renamed to `prod`.
    const theirs = await discOf(host, "dev", "web-1");
    const { status, stdout } = await runCommandLine(host, ["sweep", ...ofDev(ours), "--yes"]);
    expect(stdout).toMatch(new RegExp(`^kept +${theirs.srPath}: only the URN in its description`, "m"));
    expect(status).toBe(3);
    expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([theirs.srUuid]);

    expect(await runCommandLine(host, ["sweep", "--stack", "dev", "--yes"])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("needs --except-stack-export"),
    });
    expect(pool.xapi.srs).toHaveLength(1);
  });

  test.each<[string, (disc: TempIsoState) => string]>([
    ["SR", ({ srUuid = "" }) => srUuid],
    ["folder", ({ srPath }) => basename(srPath)],
  ])("removes what is named by the UUID of its %s, and nothing else", async (_what, uuidOf) => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const [disc, other] = [await discOf(host, "dev", "web-1"), await discOf(host, "dev", "web-1")];
    expect(await runCommandLine(host, ["sweep", "--uuid", uuidOf(disc), "--yes"])).toMatchObject({
      status: 0,
    });
    expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([other.srUuid]);
    expect(await runCommandLine(host, ["sweep", "--uuid", other.vdiUuid ?? "", "--yes"])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`No temporary ISO has the UUID ${other.vdiUuid}.`),
    });
  });

  test("does nothing without a terminal to ask on, or --yes", async () => {
    await using pool = await startPool({ transport: "sshd" });
    await discOf(pool.coordinator, "dev", "web-1");
    const { status, stdout, stderr } = await runCommandLine(pool.coordinator, ["sweep", "--stack", "dev"]);
    expect(stdout).toMatch(/^1 temporary ISO that no export names:$/m);
    expect(stderr).toContain("add --yes");
    expect(status).toBe(2);
    expect(pool.xapi.srs).toHaveLength(1);
  });

  test("ends without a word when nobody reads what it would remove", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const disc = await discOf(host, "dev", "web-1");
    const [program = "", ...args] = commandLineOf(host, ["sweep", ...ofDev(disc), "--yes"]);
    const child = spawn(program, args, { env: environmentOf(host), stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    const ended = new Promise((resolve) => child.once("exit", resolve));
    expect(await text(child.stderr)).toBe("");
    expect(await ended).toBe(1);
    expect(pool.xapi.srs).toHaveLength(1);
  });

  test.each([
    ["n", 3, 1],
    ["y", 0, 0],
  ])(
    "on a terminal asks for the password without echo, and before it removes (%s)",
    async (answer, status, left) => {
      await using pool = await startPool({ transport: "sshd" });
      const host = pool.coordinator;
      await discOf(host, "dev", "web-1");
      const answers = [`${host.connection.password ?? ""}\n`, `${answer}\n`];
      const run = await runOnTerminal(
        host,
        ["sweep", "--stack", "dev"],
        [/Password for root@.*: $/, /\[y\/N\] $/],
        answers,
      );
      expect(run.output).not.toContain(host.connection.password);
      expect(run.output).toMatch(
        /Remove \/var\/opt\/xen-iso\/\S+ of urn:pulumi:dev::\S+ from 127\.0\.0\.1:\d+\?/,
      );
      expect(run.status).toBe(status);
      expect(pool.xapi.srs).toHaveLength(left);
    },
  );
});

describe.runIf(isSshdAvailable())("sweep, between its question and the answer,", LOADED, () => {
  const answerAfter = (host: SimulatedHost, uuid: string, meanwhile: () => Promise<unknown>) =>
    runOnTerminal(
      host,
      ["sweep", "--uuid", uuid],
      [/Password for root@.*: $/, /Remove 1 temporary ISO from \S+\? \[y\/N\] $/],
      [`${host.connection.password ?? ""}\n`, () => meanwhile().then(() => "y\n")],
    );

  test("finds that a disc is gone", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const disc = await discOf(pool.coordinator, "dev", "web-1");
    const { output, status } = await answerAfter(pool.coordinator, disc.srUuid ?? "", () => deleteDisc(disc));
    expect(output).toMatch(new RegExp(`^removed +${disc.srPath}: it was gone already`, "m"));
    expect(status).toBe(0);
  });

  test("finds a disc in the drive of a VM, and keeps it", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const { srUuid = "", srPath, vdiUuid = "" } = await discOf(pool.coordinator, "dev", "web-1");
    const { output, status } = await answerAfter(pool.coordinator, srUuid, () =>
      Promise.resolve(pool.xapi.addVm({ name: "web-1", powerState: "running", drives: [{ vdiUuid }] })),
    );
    expect(output).toMatch(new RegExp(`^kept +${srPath}: .*web-1`, "m"));
    expect(status).toBe(3);
    expect(pool.xapi.srs).toHaveLength(1);
  });
});

describe.runIf(isSshdAvailable())("doctor", LOADED, () => {
  test("finds a simulated host healthy, by a key too", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const key = writeTemporary(Buffer.from(host.connection.privateKey), "id_ed25519");
    const env = { XEN_PASSWORD: undefined, XEN_PRIVATE_KEY_FILE: key };
    const { status, stdout } = await runCommandLine(host, ["doctor"], { env });
    expect(stdout.split("\n").filter((line) => line !== "" && !line.startsWith("ok  "))).toEqual([]);
    expect(stdout).toMatch(/^ok {2}cipher +aes\d+-gcm@openssh\.com$/m);
    expect(stdout).toMatch(/^ok {2}inventory +XCP-ng 8\.3\.0, host [0-9a-f-]{36}$/m);
    expect(status).toBe(0);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("warns of what will go wrong, and reads nothing secret", async () => {
    await using pool = await startPool({ transport: "sshd", bashrc: "echo Welcome\n" });
    const host = pool.coordinator;
    pool.xapi.pool.haEnabled = true;
    for (const record of pool.xapi.hosts) record.sshAutoMode = true;
    writeFileSync(host.path("/root/.xe"), "server=localhost\npassword=hunter2\n");
    mkdirSync(host.path(SR_MOUNT));
    const args = ["doctor", "--json", "--host-key", "ignore", "--sr-mount-path", SR_MOUNT];
    const { status, stdout, stderr } = await runCommandLine(host, args);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; advice?: string }[] };
    const warnings = checks.filter((check) => check.status === "warning");
    expect(warnings.map(({ name }) => name)).toEqual([
      "host key",
      "start-up files",
      "~/.xe",
      SR_MOUNT,
      "HA",
      "SSH service",
    ]);
    expect(warnings.every(({ advice }) => advice)).toBe(true);
    expect(stdout + stderr).not.toContain("hunter2");
    expect(status).toBe(3);
  });

  test("names a disc whose folder is gone, as after an upgrade from the installation ISO", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const host = pool.coordinator;
    const { srUuid } = await createDisc(argumentsFor(host));
    rmSync(host.path("/var/opt/xen-iso"), { recursive: true });
    pool.xapi.pbds[0]!.currentlyAttached = false;
    const { status, stdout } = await runCommandLine(host, ["doctor"]);
    expect(stdout).toMatch(new RegExp(`^warning +discs +The SR is not attached.* of ${srUuid}\\.`, "m"));
    expect(status).toBe(3);
  });

  test("fails a host on which no disc can be made", async () => {
    await using pool = await startPool({ transport: "sshd", bashrc: "cat >/dev/null\n" });
    const host = pool.coordinator;
    const failedChecks = async (...args: string[]) => {
      const { status, stdout } = await runCommandLine(host, ["doctor", ...args]);
      expect(status).toBe(1);
      return [...stdout.matchAll(/^failed +(\S+(?: \S+)*?) {2}/gm)].map(([, name]) => name);
    };
    pool.xapi.toolstack(host.uuid).stop();
    host.setSpace({ path: "/", totalBytes: 2 ** 34, availableBytes: 2 ** 20, type: "ext2/ext3" });
    expect(await failedChecks()).toEqual(["start-up files", "/var/opt/xen-iso", "toolstack"]);
    rmSync(host.path("/opt/xensource/bin/xe"));
    rmSync(host.path("/etc/xensource-inventory"));
    expect(await failedChecks("--sr-mount-path", "/etc/passwd", "/srv/none")).toEqual([
      "start-up files",
      "xe",
      "inventory",
      "/etc/passwd",
      "/srv/none",
      "toolstack",
    ]);
  });

  test.each<[string, string[], NodeJS.ProcessEnv, RegExp]>([
    [
      "another host key",
      ["--host-key", `SHA256:${"A".repeat(43)}`],
      {},
      /host key.*set --host-key to "ssh-ed25519 /,
    ],
    ["a wrong password", [], { XEN_PASSWORD: "hunter2" }, /refused the login as root/],
    ["no SSH", ["--port", "1", "--dial-error-limit", "1"], {}, /Nothing listens for SSH/],
  ])("fails at the login with %s", async (_title, args, env, words) => {
    await using pool = await startPool({ transport: "sshd" });
    const { status, stdout, stderr } = await runCommandLine(pool.coordinator, ["doctor", ...args], { env });
    expect(stdout).toMatch(/^failed {2}login {2}/);
    expect(stdout).toMatch(words);
    expect(stdout).toContain("The other checks were skipped.");
    expect(stdout + stderr).not.toContain("hunter2");
    expect(status).toBe(1);
  });
});

test.runIf(isSshdAvailable())("a host is reached through a jump host", LOADED, async () => {
  await using pool = await startPool({ transport: "sshd" });
  await using jump = await startPool({ transport: "sshd" });
  const { host, port, hostKey, password } = jump.coordinator.connection;
  const args = ["list", "--proxy-host", host, "--proxy-port", String(port), "--proxy-host-key", hostKey];
  const env = { XEN_PROXY_PASSWORD: password };
  expect(await runCommandLine(pool.coordinator, args, { env })).toMatchObject({ status: 0 });
  expect(jump.coordinator.connections).toBe(1);
});

/** Runs it on a pseudo-terminal, and answers each question when it stands there. */
async function runOnTerminal(
  host: SimulatedHost,
  args: readonly string[],
  questions: readonly RegExp[],
  answers: readonly (string | (() => Promise<string>))[],
) {
  const command = commandLineOf(host, args)
    .map((word) => `'${word}'`)
    .join(" ");
  const env = { ...environmentOf(host, { XEN_PASSWORD: undefined }), TERM: "dumb" };
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    env,
    stdio: "pipe",
  });
  const errors = text(child.stderr);
  let output = "";
  let next = 0;
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    output += String(chunk);
    if (!questions[next]?.test(output)) continue;
    const answer = answers[next++] ?? "";
    child.stdin.write(typeof answer === "string" ? answer : await answer());
  }
  const status =
    child.exitCode ?? (await new Promise<number | null>((resolve) => child.once("close", resolve)));
  return { status, output: output + (await errors) };
}
