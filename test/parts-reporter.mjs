// Says at the end of a run how many tests each part (a project of vitest.config.mjs) had, and what it took: the seconds
// of all its files added up. Several files run at once, so a part ends sooner.
export default class PartsReporter {
  /** @param {readonly import("vitest/node").TestModule[]} modules */
  onTestRunEnd(modules) {
    const names = [...new Set(modules.map(({ project }) => project.name))];
    console.log(row("part", "tests", "failed", "files", "file-seconds"));
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
  return `${name.padEnd(8)}${cells.map((cell) => String(cell).padStart(13)).join("")}`;
}
