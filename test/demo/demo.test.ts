import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { RunningCommand } from "../engine/command";

const repository = resolve(__dirname, "../..");

/** The demo as `npm run demo` runs it, with a folder of its own for temporary files. */
async function startDemo() {
  const temporary = await mkdtemp(join(tmpdir(), "demo-"));
  const env = { ...process.env, TMPDIR: temporary };
  const demo = new RunningCommand("npx", ["tsx", "test/demo/demo.ts"], { cwd: repository, env });
  // tsx keeps its compiled files in a folder of its own there.
  const left = async () =>
    (await readdir(temporary)).filter((name) => !/^(tsx-|node-compile-cache)/.test(name));
  return { demo, left };
}

test("the demo shows the whole life of a disc, and leaves nothing", async () => {
  const { demo, left } = await startDemo();
  const { status, output } = await demo.done;
  expect(output).toContain("vdiUuid");
  expect(output).toContain("✔ the uploaded file equals the local one");
  expect(output).toContain("✔ no storage repository is left");
  expect(output).toContain("✔ /var/opt/xen-iso is empty");
  expect(status).toBe(0);
  expect(await left()).toEqual([]);
});

test("Ctrl-C in the midst of the demo leaves nothing, too", async () => {
  const { demo, left } = await startDemo();
  await demo.waitFor(/pulumi up/);
  demo.killGroup("SIGINT");
  expect((await demo.done).status).not.toBe(0);
  expect(await left()).toEqual([]);
});
