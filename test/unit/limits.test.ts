import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(__dirname, "../..");

/** The limits of waits in `docs/limits.md`, by the constants that set them. */
const LIMITS: readonly (readonly [wait: string, file: string, constant: string])[] = [
  ["a link over which not one byte moves", "ssh/keep-alive", "DEAD_SECONDS"],
  ["an upload of which no byte arrives", "ssh/send-window", "STALL_TIMEOUT_MS"],
  ["a command that the host does not begin", "ssh/exec", "BEGIN_TIMEOUT_MS"],
  ["a quick command", "host/error", "QUICK_TIMEOUT_MS"],
  ["listing the folders", "host/scan-folders", "TIMEOUT_MS"],
  ["an `xe` command", "xe/run", "TIMEOUT_MS"],
  ["a toolstack that restarts", "xe/run", "AGAIN"],
  ["making the SR", "host/make", "MAKE_TIMEOUT_MS"],
  ["an `sr-create` whose reply was lost", "host/sr", "LOST"],
  ["writing the image to disk", "ssh/upload", "DISK_TIMEOUT_MS"],
  ["hashing an image", "host/twin", "HASH_TIMEOUT_MS"],
  ["a step of a download", "host/download", "SILENCE_MS"],
  ["an answer or the next byte of a URL", "source/http", "SILENCE_MS"],
  ["another create of the same resource", "host/prepare", "OWNER_BUSY"],
  ["a guest that holds the disc", "host/sr", "EJECT"],
  ["a drive that somebody else changes", "host/iso-attachment", "CHANGED"],
  ["a delete", "host/temp-iso", "DELETE_TIMEOUT_MS"],
  ["the undo after a failed create", "host/rollback", "BUDGET_MS"],
];

const page = readFileSync(join(ROOT, "docs/limits.md"), "utf8");

test.each(LIMITS)("docs/limits.md has the limit of %s", (wait, file, constant) => {
  const [, limit = ""] = new RegExp(`^\\| ${wait}.*?\\| (\\d+ \\w+)`, "m").exec(page) ?? [];
  const [, count, unit] = /^(\d+) (\w+)$/.exec(limit) ?? [];
  expect(Number(count) * (unit === "minutes" ? 60 : 1), limit).toBe(secondsOf(file, constant));
});

/** The value of a constant, or of its `budgetMs`, as its file states it: a number, or a product of numbers. */
function secondsOf(file: string, constant: string): number {
  const text = readFileSync(join(ROOT, "provider", `${file}.ts`), "utf8");
  const [, value = ""] = new RegExp(`const ${constant} = (?:.*budgetMs: )?([\\d_ *]+)`).exec(text) ?? [];
  const product = value.split("*").reduce((all, factor) => all * Number(factor.replaceAll("_", "")), 1);
  return constant.endsWith("SECONDS") ? product : product / 1_000;
}
