#!/usr/bin/env node
import { runCommandLine } from "./program";

void runCommandLine(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
  // Once all is written; the connection would keep the process for a while in case of another command.
  process.stdout.write("", () => process.exit());
});
