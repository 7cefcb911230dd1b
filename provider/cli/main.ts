#!/usr/bin/env node
import { EXIT } from "./exit";
import { runCommandLine } from "./program";

// Nobody reads on, as behind `| head`.
process.stdout.on("error", () => process.exit(EXIT.failed));

void runCommandLine(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
  // Once all is written; the connection would keep the process for a while in case of another command.
  process.stdout.write("", () => process.exit());
});
