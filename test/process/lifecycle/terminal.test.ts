import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const program = `console.log("terminal: " + require(${JSON.stringify(resolve(__dirname, "../../../provider/lifecycle/terminal"))}).isTerminal())`;
const node = ["node", "--import", "tsx", "--eval", program];

/** What the program says of the terminal when it is started in this way. */
async function ask(command: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { CI: _, ...others } = process.env;
  const [file = "", ...args] = command;
  const { stdout } = await promisify(execFile)(file, args, { env: { ...others, ...env } });
  return /terminal: (\w+)/.exec(stdout)?.[1];
}

/** In a session of its own, without and with a terminal. util-linux has both; elsewhere they are called otherwise. */
describe.runIf(process.platform === "linux")("a terminal is one", () => {
  const inTerminal = ["script", "--quiet", "--command", node.map(quoted).join(" "), "/dev/null"];

  test.each([
    ["that can be opened", inTerminal, {}, "true"],
    ["but not in a CI job", inTerminal, { CI: "true" }, "false"],
    ["if there is one", ["setsid", "--wait", ...node], {}, "false"],
  ])("%s", async (_when, command, env, answer) => {
    expect(await ask(command, env)).toBe(answer);
  });
});

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
