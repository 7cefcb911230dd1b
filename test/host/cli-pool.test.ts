import { rmSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import type { FoundTempIso } from "../../provider/host/find-temp-isos";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { Gate } from "../faults/gate";
import { type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { runCommandLine } from "./command-line";
import { createPoolDisc, nothing, threeOf } from "./pool";
import { readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

/** A process for each command line takes its time on a loaded machine. */
const LOADED = { timeout: 120_000 };

const startThree = () => startPool({ transport: "embedded", hosts: 3 });

/** Runs it by way of a host; knows the keys of all. */
function run({ hosts }: SimulatedPool, host: SimulatedHost, ...args: string[]) {
  return runCommandLine(host, [...args, "--host-key", ...hosts.map(({ connection }) => connection.hostKey)]);
}

/** Marks the folder as a create does. */
function mark(host: SimulatedHost, { srPath, isoName }: TempIsoState, owner: string): void {
  const marker = [`owner=${owner}`, `iso=${isoName}`, "size=1", "session=1", "started=then", ""];
  writeFileSync(host.path(`${srPath}/pending`), marker.join("\n"));
}

async function listed(pool: SimulatedPool, host: SimulatedHost): Promise<FoundTempIso[]> {
  const { stdout } = await run(pool, host, "list", "--json");
  return (JSON.parse(stdout) as { tempIsos: FoundTempIso[] }).tempIsos;
}

describe.runIf(process.platform === "linux")("of a disc of a whole pool", LOADED, () => {
  test("list shows one line on any host, and sweep removes it from all", async () => {
    await using pool = await startThree();
    const [, second] = threeOf(pool);
    const disc = await createPoolDisc(pool);
    const { status, stdout, stderr } = await run(pool, second, "list");
    expect(stdout).toMatch(new RegExp(`^live \\(whole pool\\) .*${disc.srUuid} .*${disc.srPath}`, "m"));
    expect([status, stderr]).toEqual([0, ""]);
    const swept = await run(pool, second, "sweep", "--uuid", disc.srUuid ?? "", "--yes");
    expect(swept).toMatchObject({ status: 0, stdout: expect.stringMatching(/^removed .*[^:]$/m) });
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("list tells which hosts lack it", async () => {
    await using pool = await startThree();
    const [first, , third] = threeOf(pool);
    const { srPath } = await createPoolDisc(pool);
    rmSync(third.path(srPath), { recursive: true });
    expect((await run(pool, first, "list")).stdout).toMatch(/^partial \(whole pool, without xen3\) /m);
    expect(await run(pool, first, "sweep", "--lost", "--yes")).toMatchObject({
      status: 0,
      stdout: "Nothing to remove.\n",
    });
  });

  test("sweep finds a folder that is left on another host once the SR is gone", async () => {
    await using pool = await startThree();
    const [first, second, third] = threeOf(pool);
    const { srUuid = "", srPath } = await createPoolDisc(pool);
    pool.xapi.forgetSr(srUuid);
    for (const host of [first, second]) rmSync(host.path(srPath), { recursive: true });
    expect(await listed(pool, first)).toMatchObject([
      { state: "folder without SR", isHere: false, hostUuid: third.uuid },
    ]);
    expect(await run(pool, first, "sweep", "--lost", "--yes")).toMatchObject({ status: 0 });
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test.each([
    ["with its SR", true],
    ["without an SR", false],
  ])("sweep removes what a killed create left on every host, %s", async (_title, hasSr) => {
    await using pool = await startThree();
    const [first] = threeOf(pool);
    const disc = await createPoolDisc(pool);
    for (const host of pool.hosts) mark(host, disc, disc.owner);
    if (!hasSr) pool.xapi.forgetSr(disc.srUuid ?? "");
    expect(await run(pool, first, "sweep", "--pending", "--yes")).toMatchObject({ status: 0 });
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("sweep never touches what another run is making, on any host", async () => {
    await using pool = await startPool({ transport: "sshd", hosts: 3 });
    const [first, second] = threeOf(pool);
    await using gate = await Gate.await(first, { program: "xe", args: /^sr-create/ });
    const creating = createPoolDisc(pool);
    const call = await gate.halted;
    expect((await run(pool, second, "list")).stdout).toMatch(/^pending \(under way\)/m);
    for (const [which, status] of [
      ["--pending", 3],
      ["--lost", 0],
    ] as const)
      expect(await run(pool, second, "sweep", which, "--yes")).toMatchObject({ status });
    call.run();
    await expect(readDisc(await creating)).resolves.toMatchObject({ props: { status: "ready" } });
  });

  test("sweep of killed creates leaves a disc alone whose copy to one host was killed", async () => {
    await using pool = await startThree();
    const [, , third] = threeOf(pool);
    const disc = await createPoolDisc(pool);
    mark(third, disc, `${disc.owner} (copy)`);
    expect(await run(pool, third, "sweep", "--pending", "--yes")).toMatchObject({
      status: 0,
      stdout: "Nothing to remove.\n",
    });
    expect(pool.xapi.srs).toHaveLength(1);
  });

  test("sweep leaves it whole if a host cannot be looked at, and says why", async () => {
    await using pool = await startThree();
    const [first, , third] = threeOf(pool);
    const disc = await createPoolDisc(pool);
    await third.stopSshd();
    const args = ["sweep", "--uuid", disc.srUuid ?? "", "--yes", "--dial-error-limit", "1"];
    const { status, stdout, stderr } = await run(pool, first, ...args);
    expect(stderr).toMatch(/^The host xen3 \(127\.\S+\) of the pool was not looked at\. Nothing listens/);
    expect(stdout).toMatch(/^FAILED .*The host xen3 may have a folder of it.*Nothing was changed/m);
    expect(status).toBe(1);
    await third.startSshd();
    await expect(readDisc(disc)).resolves.toMatchObject({ props: { status: "ready" } });
  });
});

describe.runIf(process.platform === "linux")("doctor in a pool", LOADED, () => {
  test("finds every host healthy, by name", async () => {
    await using pool = await startThree();
    const [, second] = threeOf(pool);
    await createPoolDisc(pool);
    const { status, stdout } = await run(pool, second, "doctor");
    expect(stdout.split("\n").filter((line) => line !== "" && !line.startsWith("ok  "))).toEqual([]);
    for (const name of ["xen1", "xen3"])
      for (const check of ["login", "state", "/var/opt/xen-iso"])
        expect(stdout).toMatch(new RegExp(`^ok {2}${name}: ${check} `, "m"));
    for (const name of ["xen1", "xen2", "xen3"])
      expect(stdout).toMatch(new RegExp(`^ok {2}${name}: pool-wide discs +has the one there is$`, "m"));
    expect(status).toBe(0);
  });

  test("says of each host what stands in the way of such a disc, and what to do", async () => {
    await using pool = await startPool({ transport: "embedded", hosts: 4 });
    const [first, second, third, fourth] = pool.hosts;
    const { srPath } = await createPoolDisc(pool);
    pool.xapi.host(second?.uuid ?? "").enabled = false;
    second?.setSpace({ path: "/", totalBytes: 2 ** 34, availableBytes: 2 ** 20, type: "ext2/ext3" });
    rmSync(second?.path(srPath) ?? "", { recursive: true });
    await fourth?.powerOff();
    if (!first || !third) throw new Error("The pool was to have four hosts.");
    // The key of the third one is not known.
    const keys = pool.hosts.filter((host) => host !== third).map(({ connection }) => connection.hostKey);
    const { status, stdout } = await runCommandLine(first, ["doctor", "--json", "--host-key", ...keys]);
    const { checks } = JSON.parse(stdout) as {
      checks: { name: string; status: string; detail: string; advice?: string }[];
    };
    const bad = checks.filter((check) => check.status !== "ok");
    expect(new Map(bad.map(({ name, detail, advice }) => [name, `${detail} ${advice ?? ""}`]))).toEqual(
      new Map([
        ["xen2: state", expect.stringMatching(/disabled.*xe host-enable uuid=.*skipOfflineHosts/)],
        ["xen2: /var/opt/xen-iso", expect.stringMatching(/no disc can be made/)],
        ["xen3: login", expect.stringMatching(/host key.*hostConnections: \{ "xen3"/s)],
        ["xen4: login", expect.stringMatching(/offline.*xe host-forget uuid=/)],
        ["xen2: pool-wide discs", expect.stringMatching(/lacks 1 of 1.*pulumi up --refresh/)],
      ]),
    );
    expect(status).toBe(3);
  });
});
