import { describe, expect, it } from "vitest";
import { CommandError } from "./command";
import { findEngine } from "./engine";
import { makeProject, writeFiles } from "./project";
import { Stack } from "./stack";

/** A program with one dynamic resource, whose provider says what it is asked to do. */
const program = (text: string): string => `
  const pulumi = require("@pulumi/pulumi");
  const provider = {
    async create(inputs) {
      if (inputs.text === "slow") {
        console.log("create goes to sleep");
        await new Promise(resolve => process.stdin.on("end", resolve).resume());
        process.exit();
      }
      if (inputs.text === "bad") throw new Error("create was told to fail");
      return { id: "made", outs: inputs };
    },
    async update(id, olds, news) { return { outs: news }; },
  };
  class Thing extends pulumi.dynamic.Resource {
    constructor(name, args) { super(provider, name, args); }
  }
  const thing = new Thing("thing", { text: ${JSON.stringify(text)} });
  exports.text = thing.text;
  exports.home = require("os").homedir();
  exports.secret = new pulumi.Config("xen").getSecret("password");
`;

describe("a stack under the real engine", () => {
  it("is made, left alone when nothing changes, updated and destroyed", async () => {
    await using project = await makeProject({ "index.js": program("hello") });
    await using stack = await Stack.create(await findEngine(), project.folder);
    await stack.config("xen:password", "pässword -x", { secret: true });

    expect((await stack.up()).output).toContain("+ 2 created");
    expect(await stack.outputs()).toEqual({ text: "hello", home: stack.home, secret: "pässword -x" });
    expect(await stack.exportText()).not.toContain("pässword");
    expect((await stack.up()).output).toContain("2 unchanged");

    await writeFiles(project, { "index.js": program("bye") });
    expect((await stack.preview()).output).toContain("~ 1 to update");
    await stack.up();
    const resources = (await stack.export()).deployment.resources ?? [];
    expect(resources.find(({ id }) => id === "made")?.outputs).toMatchObject({ text: "bye" });

    expect((await stack.refresh()).output).toContain("2 unchanged");
    expect((await stack.destroy()).output).toContain("- 2 deleted");
  });

  it("throws the output of a command that fails, unless a failure is expected", async () => {
    await using project = await makeProject({ "index.js": program("bad") });
    await using stack = await Stack.create(await findEngine(), project.folder);

    const failure = await stack.up().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CommandError);
    expect(failure).toMatchObject({ output: expect.stringContaining("create was told to fail") });
    await stack.up({ expectFailure: true });
    await expect(stack.destroy({ expectFailure: true })).rejects.toThrow(CommandError);
  });

  it("can be started and killed", async () => {
    await using project = await makeProject({ "index.js": program("slow") });
    await using stack = await Stack.create(await findEngine(), project.folder);

    const up = stack.start("up");
    await up.waitFor(/goes to sleep/);
    up.killGroup("SIGKILL");
    expect((await up.done).status).toBe("SIGKILL");
    expect((await stack.export()).deployment.pending_operations).toHaveLength(1);
    await stack.run(["cancel", "--yes"]);
    expect((await stack.destroy()).output).not.toContain("locked");
  });

  it("runs a program in TypeScript", async () => {
    await using project = await makeProject({
      "index.ts": `import * as pulumi from "@pulumi/pulumi"; export const stack: string = pulumi.getStack();`,
    });
    await using stack = await Stack.create(await findEngine(), project.folder);
    await stack.up();
    expect(await stack.outputs()).toEqual({ stack: "test" });
  });
});
