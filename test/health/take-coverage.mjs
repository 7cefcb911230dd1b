// Loaded by every Node.js process of a run, by NODE_OPTIONS: writes V8's coverage of dist, a line of JSON each time.
// Not only at the end as NODE_V8_COVERAGE does, because the engine kills the processes of its providers. What asks for
// the sources gets dist.
import { appendFileSync } from "node:fs";
import { Session } from "node:inspector";
import Module from "node:module";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { threadId } from "node:worker_threads";

const INTERVAL_MS = 250;
const folder = process.env["COVERAGE_FOLDER"] ?? "";
const built = join(process.env["COVERAGE_OF"] ?? "", sep);
const dist = pathToFileURL(built).href;
const sources = join(built, "..", "provider", sep);

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = (...args) => {
  const path = resolveFilename(...args);
  if (!path.startsWith(sources) || !path.endsWith(".ts")) return path;
  return join(built, relative(sources, path)).replace(/\.ts$/, ".js");
};

const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
setInterval(take, INTERVAL_MS).unref();
process.on("exit", take);

/** Writes what has run since the last time. */
function take() {
  session.post("Profiler.takePreciseCoverage", (error, coverage) => {
    if (error) return;
    const result = coverage.result.filter(
      ({ url, functions }) => url.startsWith(dist) && functions.some(({ ranges }) => ranges[0].count > 0),
    );
    if (result.length === 0) return;
    appendFileSync(join(folder, `${process.pid}-${threadId}.jsonl`), `${JSON.stringify({ result })}\n`);
  });
}
