#!/usr/bin/env node
import { endProcess } from "../lifecycle/engine-watch";
import { serve } from "./server";

// The engine ends its plugins with SIGINT and gives them a few seconds.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    endProcess(new Error(`The provider got ${signal}: operations under way are undone.`));
  });

// The engine reads the port from the first line.
void serve().then(({ port }) => process.stdout.write(`${port}\n`));
