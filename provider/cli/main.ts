#!/usr/bin/env node
import { EXIT } from "./exit";
import { runCommandLine } from "./program";

// The reader of a pipe has gone, as after `| head`.
process.stdout.on("error", () => process.exit(EXIT.failed));

void runCommandLine(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
  // Exits once everything is written: the connection would keep the process alive for another command.
  process.stdout.write("", () => process.exit());
});
