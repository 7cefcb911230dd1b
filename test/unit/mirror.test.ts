import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(__dirname, "..", "..");

/** What is covered by a test of more than one module, because only a host or an engine shows whether it works. */
const COVERED_BY: Readonly<Record<string, readonly string[]>> = {
  "test/engine/doors.test.ts": [
    "plugin/answer",
    "plugin/functions",
    "plugin/main",
    "plugin/provider",
    "plugin/resources",
    "plugin/server",
  ],
  "test/engine/kill.test.ts": ["lifecycle/engine-watch"],
  "test/engine/package.test.ts": ["index", "provider", "resources/iso-release"],
  "test/engine/progress.test.ts": ["lifecycle/engine-address", "lifecycle/engine-log", "lifecycle/sdk"],
  "test/host/attachment.test.ts": ["host/drive", "host/iso-attachment", "resources/iso-attachment"],
  "test/host/cli.test.ts": [
    "cli/doctor",
    "cli/host-facts",
    "cli/main",
    "cli/program",
    "cli/sweep",
    "cli/terminal",
  ],
  "test/host/cli-pool.test.ts": ["cli/pool", "cli/pool-facts", "host/reach-pool", "host/remove-found"],
  "test/host/connection.test.ts": ["ssh/connect", "ssh/connection", "ssh/link", "ssh/shared-connection"],
  "test/host/delete.test.ts": ["host/find-temp-iso"],
  "test/host/doctor-login.test.ts": ["cli/login-fault"],
  "test/host/files.test.ts": ["lifecycle/image-source", "lifecycle/read-ahead"],
  "test/host/life.test.ts": [
    "host/temp-iso",
    "lifecycle/provider",
    "resources/connection",
    "resources/temp-iso",
  ],
  "test/host/link.test.ts": ["host/image", "ssh/sftp", "ssh/upload"],
  "test/host/login.test.ts": ["ssh/login"],
  "test/host/marker.test.ts": ["host/marker"],
  "test/host/pool-url.test.ts": ["lifecycle/kept-image"],
  "test/host/pool-wide.test.ts": ["host/pool-temp-iso", "lifecycle/pool-hosts", "lifecycle/pool-temp-iso"],
  "test/host/progress.test.ts": ["host/progress", "ssh/command-channel"],
  "test/host/release.test.ts": ["host/release"],
  "test/host/round-trips.test.ts": ["host/make", "host/twin"],
  "test/host/unreachable.test.ts": ["lifecycle/credentials", "lifecycle/reached-host"],
  "test/host/url.test.ts": ["host/download"],
  "test/host/values.test.ts": ["ssh/exec"],
  "test/unit/iso/build.test.ts": ["iso/hierarchy", "iso/naming", "iso/source"],
  "test/process/lifecycle/inspect-once.test.ts": ["lifecycle/inspect-file"],
  "test/process/source/compression.test.ts": ["source/bzip2", "source/xz", "source/zstd"],
};

/** Types and names, with nothing to test. */
const NAMES: readonly string[] = [
  "cli/exit",
  "host/error",
  "host/plan",
  "lifecycle/temp-iso-status",
  "lifecycle/unknown",
  "source/error",
  "ssh/error",
  "ssh/target",
];

const sources = readdirSync(join(ROOT, "provider"), { recursive: true, withFileTypes: true })
  .filter(({ name }) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
  .map((entry) => relative(join(ROOT, "provider"), join(entry.parentPath, entry.name)).replace(/\.ts$/, ""));

const covered = Object.values(COVERED_BY).flat();

test.each(sources)("provider/%s has a test", (source) => {
  const own = ["unit", "process"].some((part) => existsSync(join(ROOT, "test", part, `${source}.test.ts`)));
  const isListed = covered.includes(source) || NAMES.includes(source);
  expect(own, `test/unit/${source}.test.ts, one in test/process, or a line in this file`).toBe(!isListed);
});

test("the list names only files that exist", () => {
  const tests = Object.keys(COVERED_BY).filter((file) => !existsSync(join(ROOT, file)));
  expect([...tests, ...[...covered, ...NAMES].filter((name) => !sources.includes(name))]).toEqual([]);
});
