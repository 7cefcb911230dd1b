// Says at the end of a run how many tests each part (a project of vitest.config.mjs) had, and what it took: the time
// of its files added up, several of which run at once.
export default class PartsReporter {
  /** @param {readonly import("vitest/node").TestModule[]} modules */
  onTestRunEnd(modules) {
    const names = [...new Set(modules.map(({ project }) => project.name))];
    console.log(row("part", "tests", "failed", "files", "seconds"));
    for (const name of names) {
      const files = modules.filter(({ project }) => project.name === name);
      const tests = files.flatMap(({ children }) => [...children.allTests()]);
      const failed = tests.filter((test) => test.result().state === "failed");
      const seconds = files.reduce((sum, file) => sum + secondsOf(file.diagnostic()), 0);
      console.log(row(name, tests.length, failed.length, files.length, seconds.toFixed(1)));
    }
  }
}

/** @param {import("vitest/node").ModuleDiagnostic} diagnostic */
function secondsOf({ environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration }) {
  return (environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration) / 1_000;
}

/** @param {...(string | number)} cells */
function row(name, ...cells) {
  return `${name.padEnd(8)}${cells.map((cell) => String(cell).padStart(9)).join("")}`;
}
