import { execFileSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { remote } from "../../../provider/host/remote";
import { sh } from "../../../provider/ssh/sh";
import { rewritePaths, rewriteProcesses, RootRemover } from "../../simulator/transport/rewrite";

describe("rewritePaths", () => {
  it.each([
    ["cat /etc/xensource-inventory", "cat /R/etc/xensource-inventory"],
    ["/opt/xensource/bin/xe x", "/R/opt/xensource/bin/xe x"],
    ["cd '/var/opt' && cd \"/run/x\"", "cd '/R/var/opt' && cd \"/R/run/x\""],
    ["a=/var/x b:/run/y <$(</etc/z >/var/w", "a=/R/var/x b:/R/run/y <$(</R/etc/z >/R/var/w"],
    ["ls /run /var; (/run)", "ls /R/run /R/var; (/R/run)"],
    ["cat /proc/self/mounts /proc/meminfo /proc/1", "cat /R/proc/self/mounts /R/proc/meminfo /proc/1"],
    [
      "ls /dev/null /usr/lib /variable x/var/y $HOME/etc",
      "ls /dev/null /usr/lib /variable x/var/y $HOME/etc",
    ],
  ])("%s", (text, expected) => {
    expect(rewritePaths(text, "/R")).toBe(expected);
  });
});

describe("RootRemover", () => {
  const removed = async (...chunks: string[]) => {
    const output = Readable.from(chunks.map((chunk) => Buffer.from(chunk))).pipe(
      new RootRemover("/tmp/root"),
    );
    return Buffer.concat((await output.toArray()) as Buffer[]).toString();
  };

  it("takes the root out of output, wherever its chunks end", async () => {
    const text = "a /tmp/root/etc b /tmp/root\n/tmp/roo /tmp/root/x";
    for (let at = 1; at < text.length; at++) {
      expect(await removed(text.slice(0, at), text.slice(at))).toBe("a /etc b /\n/tmp/roo /x");
    }
    expect(await removed("/tmp/root")).toBe("/");
    expect(await removed("/tmp/ro")).toBe("/tmp/ro");
  });
});

describe("rewriteProcesses", () => {
  it("has a program say on macOS when a process was started", () => {
    const script = `${rewriteProcesses(remote(sh`start_of $$`).text)}; echo "$REPLY"`;
    const PATH = [join(__dirname, "../../simulator/bin/darwin"), process.env["PATH"]].join(delimiter);
    expect(String(execFileSync("/bin/bash", ["-c", script], { env: { ...process.env, PATH } }))).toMatch(
      /^\d{10,}\n$/,
    );
  });
});
