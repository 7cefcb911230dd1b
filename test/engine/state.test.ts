import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { startPool } from "../simulator";
import { seedImage } from "../seed-image";
import { findEngine } from "./engine";
import { listProcesses } from "./processes";
import { connectionTo, discProgram } from "./programs";
import { makeProject, writeFiles } from "./project";
import { Stack } from "./stack";

const TYPE = "pulumi-nodejs:dynamic/xen:TempIso";

const iso = async () => ({ "web-1.iso": await seedImage() });

test("a password is nowhere in plain: not in state, output, or a process list", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const host = pool.coordinator;
  const password = host.connection.password ?? "";
  expect(password).not.toBe("");
  await using processes = watchProcesses(password);

  const { password: _, ...withoutPassword } = connectionTo(host);
  const given = { isoPath: "web-1.iso", connection: connectionTo(host) };
  const configured = { isoPath: "web-1.iso", connection: withoutPassword };
  const bad = {
    isoPath: "web-1.iso",
    connection: { ...connectionTo(host), pasword: password, port: 70_000 },
  };

  const texts: string[] = [];
  for (const args of [given, configured]) {
    await using project = await makeProject({ ...discProgram(args), ...(await iso()) });
    await using stack = await Stack.create(await findEngine(), project.folder);
    if (args === configured) await stack.config("xen:password", password, { secret: true });

    await writeFiles(project, discProgram(bad));
    const refused = await stack.preview({ expectFailure: true });
    expect(refused.output).toContain("connection.pasword: is not a field of a connection");
    expect(refused.output).toContain("connection.port: must be a whole number");
    await writeFiles(project, discProgram(args));

    texts.push(refused.output);
    for (const run of [
      () => stack.preview({ args: ["--diff"] }),
      () => stack.up({ args: ["--diff"] }),
      () => stack.refresh({ args: ["--diff"] }),
    ])
      texts.push((await run()).output);
    texts.push(await stack.exportText());
    texts.push((await stack.destroy({ args: ["--diff"] })).output);
  }
  for (const text of texts) expect(text).not.toContain(password);
  expect(processes.seen()).toEqual([]);
  expect(processes.rounds()).toBeGreaterThan(10);
});

test("the serialised provider is small, and the same for every resource", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const args = { isoPath: "web-1.iso", connection: connectionTo(pool.coordinator) };
  await using project = await makeProject({ ...discProgram(args), ...(await iso()) });
  await using stack = await Stack.create(await findEngine(), project.folder);
  await stack.up();
  const resources = (await stack.export()).deployment.resources ?? [];
  const disc = resources.find(({ type }) => type === TYPE);
  // Nothing of the implementation but the path by which it is required: a promise to every state.
  const text = `exports.handler = () => require("pulumi-xen-iso/provider").tempIso;\n`;
  expect(disc?.inputs?.["__provider"]).toBe(text);
  expect(disc?.outputs?.["__provider"]).toBe(text);
  await stack.destroy();
});

/** Looks at the command lines of all other processes, again and again. */
function watchProcesses(secret: string) {
  const seen = new Set<string>();
  let rounds = 0;
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) {
      for (const { command } of await listProcesses())
        // Not the test's own command that sets the configuration.
        if (command.includes(secret) && !command.startsWith("pulumi config ")) seen.add(command);
      rounds++;
      await sleep(50);
    }
  })();
  return {
    seen: () => [...seen],
    rounds: () => rounds,
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await watching;
    },
  };
}
