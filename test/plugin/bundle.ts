import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as esbuild from "esbuild";
import { readShellFiles } from "../../provider/host/remote";

const dist = resolve(__dirname, "../../dist");

/** One JavaScript file that needs nothing but Node.js: the plugin, its libraries, and the files that it reads. */
export async function bundlePlugin(outfile: string): Promise<void> {
  await esbuild.build({
    entryPoints: [join(dist, "plugin/main.js")],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    logLevel: "error",
    plugins: [inlined, absent],
  });
}

/** What the modules look for beside themselves when they run becomes part of the bundle. */
const inlined: esbuild.Plugin = {
  name: "inlined",
  setup: (build) => {
    build.onLoad({ filter: /dist\/lifecycle\/sdk\.js$/ }, ({ path }) => ({
      contents: replaced(path, /const requireOfSdk = .*;\n/, "").replaceAll("requireOfSdk(", "require("),
      resolveDir: dirname(require.resolve("@pulumi/pulumi/package.json")),
    }));
    build.onLoad({ filter: /dist\/host\/remote\.js$/ }, ({ path }) => ({
      contents: replaced(
        path,
        /function readShellFiles\(\) \{[^]*?\n\}/,
        `function readShellFiles() { return ${JSON.stringify(readShellFiles())}; }`,
      ),
    }));
  },
};

/** Optional parts of ssh2 that are compiled for one machine: it goes on without them. */
const absent: esbuild.Plugin = {
  name: "absent",
  setup: (build) => {
    build.onResolve({ filter: /^cpu-features$|\.node$/ }, ({ path }) => ({ path, namespace: "absent" }));
    build.onLoad({ filter: /.*/, namespace: "absent" }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not part of this build`)});`,
    }));
  },
};

function replaced(path: string, pattern: RegExp, text: string): string {
  const source = readFileSync(path, "utf8");
  if (!pattern.test(source)) throw new Error(`${path} has nothing like ${String(pattern)} to replace`);
  return source.replace(pattern, () => text);
}
