import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RemoteHost, sh } from "./host";

const startOf = (pid: number | string) =>
  /^.*\) (?:\S+ ){19}(\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "latin1"))?.[1] ?? "";

test("tells when a process was started, and nothing of one that is gone", () => {
  using host = new RemoteHost();
  const after = 'echo "<$REPLY>"';
  expect(host.run(sh`start_of ${process.pid}`, { after }).stdout).toBe(`<${startOf("self")}>\n`);
  expect(host.run(sh`start_of ${2 ** 22 + 1}`, { after }).stdout).toBe("<>\n");
});

test("records the script that works in a folder", () => {
  using host = new RemoteHost();
  const { stdout } = host.run(sh`note_writer`, { after: "echo $$" });
  expect(host.read("writers")).toMatch(new RegExp(`^${stdout.trim()} \\d+\\n$`));
});

test("ends the process group of a recorded script, and no PID that was reused", async () => {
  using host = new RemoteHost();
  const [writer, other] = [0, 1].map(() => spawn("sleep", ["60"], { detached: true, stdio: "ignore" }));
  const ended = once(writer!, "exit");
  host.write("writers", `${writer!.pid} ${startOf(writer!.pid!)}\n${other!.pid} 1\n${other!.pid}\n`);
  expect(host.run(sh`stop_writers`, { after: "echo alive" })).toMatchObject({ status: 0, stdout: "alive\n" });
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(other!.kill()).toBe(true);
});

test("a folder without record prints nothing", () => {
  using host = new RemoteHost();
  expect(host.run(sh`stop_writers`)).toEqual({ status: 0, stdout: "", stderr: "" });
});
