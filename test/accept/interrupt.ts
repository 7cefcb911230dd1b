import { say } from "../../provider/cli/terminal";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** npm hands on a Ctrl-C that the terminal has sent to everybody: within this time two are one. */
const SAME_MS = 1_000;

/** Aborted by the first Ctrl-C, after which the run ends once it has cleaned up; another one ends it at once. */
export function abortedByInterrupt(): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  for (const name of SIGNALS)
    process.on(name, () => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        say("Ending after the step under way; what was made is removed. Ctrl-C again leaves it there.");
        controller.abort(new Error("The run was interrupted."));
      } else if (performance.now() - firstAt > SAME_MS) process.exit(130);
    });
  return controller.signal;
}
