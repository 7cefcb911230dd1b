/** One way to install the package and to run a program with it. */
export interface Cell {
  readonly name: string;
  readonly install: Installer;
  readonly program: "ts-node" | "tsx" | "commonjs" | "esm" | "esbuild" | "inline";
  /** Major version of Node.js, from npm; that of this process by default. */
  readonly node?: "20" | "22" | "24";
  /** Version of `@pulumi/pulumi`; the one that this repository is locked to by default. */
  readonly sdk?: string;
  /** The package lies in a workspace above the program, or has a second copy of the SDK of its own. */
  readonly layout?: "workspace" | "two SDKs";
  /** What `pulumi up` says where this way cannot work. */
  readonly refusal?: RegExp;
}

/** A command that installs what `package.json` names, and files that configure it. */
export interface Installer {
  readonly name: string;
  readonly command: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

/** The oldest of the range of peers in package.json. */
const OLDEST_SDK = "3.200.0";

const NPM = {
  name: "npm",
  command: ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline"],
};
const PNPM = { name: "pnpm", command: ["npx", "--yes", "pnpm@10", "install"] };
export const PNPM_UNHOISTED = {
  name: "pnpm without hoisting",
  command: PNPM.command,
  files: { ".npmrc": "hoist=false\n" },
};
const YARN_1 = {
  name: "yarn 1",
  command: ["npx", "--yes", "yarn@1", "install", "--non-interactive", "--ignore-engines"],
};
const yarn4 = (linker: string) => ({
  name: `yarn 4, ${linker}`,
  command: ["npx", "--yes", "--package", "@yarnpkg/cli-dist@4", "yarn", "install"],
  files: {
    ".yarnrc.yml": `nodeLinker: ${linker}\nenableTelemetry: false\nenableImmutableInstalls: false\n`,
    "yarn.lock": "",
  },
});
const BUN = { name: "bun", command: ["npx", "--yes", "bun@1", "install"] };

const cell = (install: Installer, program: Cell["program"], more: Partial<Cell> = {}): Cell => ({
  name: [install.name, more.layout, program, more.node && `Node ${more.node}`, more.sdk && `SDK ${more.sdk}`]
    .filter(Boolean)
    .join(", "),
  install,
  program,
  ...more,
});

/** All of them; the first ones are the sample that `.ci/run` runs. */
export const CELLS: readonly Cell[] = [
  cell(PNPM, "ts-node"),
  cell(NPM, "esbuild"),
  cell(NPM, "commonjs", { sdk: OLDEST_SDK }),

  cell(NPM, "ts-node"),
  cell(NPM, "tsx"),
  cell(NPM, "esm"),
  cell(NPM, "inline"),
  cell(NPM, "ts-node", { layout: "workspace" }),
  cell(NPM, "commonjs", { layout: "two SDKs" }),
  cell(PNPM_UNHOISTED, "ts-node"),
  cell(YARN_1, "ts-node"),
  cell(yarn4("node-modules"), "ts-node"),
  cell(yarn4("pnp"), "commonjs", { refusal: /Pulumi SDK has not been installed/ }),
  cell(BUN, "ts-node"),
  cell(NPM, "commonjs", { node: "20" }),
  cell(NPM, "commonjs", { node: "22" }),
  cell(NPM, "ts-node", { node: "24", sdk: "latest" }),
];

export const SAMPLE_SIZE = 3;
