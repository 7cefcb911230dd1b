/** The layers of provider/, from what a user imports down to the wire: imports go one way. */
const layers = ["resources", "lifecycle", "host", "xe", "ssh"];

const folder = (...names) => `^provider/(${names.join("|")})/`;

/** No layer imports one above it. */
const oneWay = layers.slice(1).map((layer, index) => ({
  name: `${layer}-imports-downwards`,
  severity: "error",
  from: { path: folder(layer) },
  to: { path: folder(...layers.slice(0, index + 1)) },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-circular-types",
      comment: "what is published goes one way in its types too",
      severity: "error",
      from: { path: "^provider/" },
      to: { circular: true },
    },
    {
      name: "resolvable",
      comment: "a module that is not there",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    ...oneWay,
    {
      name: "resources-are-thin",
      comment: "of the rest, a resource class has the serialised provider and types",
      severity: "error",
      from: { path: folder("resources") },
      to: {
        path: folder("lifecycle", "host", "xe", "ssh"),
        pathNot: "^provider/lifecycle/serialised\\.ts$",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "resources-know-no-host",
      comment: "not even its types",
      severity: "error",
      from: { path: folder("resources") },
      to: { path: folder("host", "xe", "ssh") },
    },
    {
      name: "plugin-is-a-door-of-its-own",
      comment: "the plugin and the resource classes share lifecycle/, not each other",
      severity: "error",
      from: { path: "^provider/", pathNot: folder("plugin") },
      to: { path: folder("plugin") },
    },
    {
      name: "plugin-without-resources",
      severity: "error",
      from: { path: folder("plugin") },
      to: { path: folder("resources", "ssh", "xe") },
    },
    {
      name: "cli-stands-alone",
      comment: "the command line has nothing to do with the engine, and nothing with it but its tests",
      severity: "error",
      from: { path: "^provider/", pathNot: folder("cli") },
      to: { path: folder("cli") },
    },
    {
      name: "cli-without-engine",
      comment: "of lifecycle, the command line has the rules for a connection",
      severity: "error",
      from: { path: folder("cli") },
      to: {
        path: folder("resources", "lifecycle", "iso"),
        pathNot: "^provider/lifecycle/(connection|problems|ssh-target)\\.ts$",
      },
    },
    {
      name: "commander-in-cli",
      comment: "a program that imports the package does not load the command line's library",
      severity: "error",
      from: { path: "^provider/", pathNot: folder("cli") },
      to: { path: "^(node_modules/)?commander" },
    },
    {
      name: "iso-is-pure",
      severity: "error",
      from: { path: folder("iso") },
      to: { path: "^provider/", pathNot: folder("iso", "text") },
    },
    {
      name: "text-stands-alone",
      comment: "helpers that deal with words alone, for every layer",
      severity: "error",
      from: { path: folder("text") },
      to: { path: "^provider/", pathNot: folder("text") },
    },
    {
      name: "source-stands-alone",
      comment: "files from elsewhere, whatever they become",
      severity: "error",
      from: { path: folder("source") },
      to: { path: "^provider/", pathNot: folder("source", "text") },
    },
    {
      name: "index-names-the-public",
      comment: "resources, functions that make images, and types",
      severity: "error",
      from: { path: "^provider/index\\.ts$" },
      to: { pathNot: folder("resources", "iso"), dependencyTypesNot: ["type-only"] },
    },
    {
      name: "nobody-imports-index",
      severity: "error",
      from: { path: "^provider/" },
      to: { path: "^provider/index\\.ts$" },
    },
    {
      name: "pulumi-above-host",
      comment: "only resources, plugin, lifecycle and what they publish know Pulumi",
      severity: "error",
      from: {
        path: "^provider/",
        pathNot: [folder("resources", "plugin", "lifecycle"), "^provider/provider\\.ts$"],
      },
      to: { path: "^(node_modules/)?@pulumi/" },
    },
    {
      name: "ssh2-in-ssh",
      comment: "only ssh/ knows the SSH library",
      severity: "error",
      from: { path: "^provider/", pathNot: folder("ssh") },
      to: { path: "^(node_modules/)?(@types/)?ssh2" },
    },
    {
      name: "provider-without-tests",
      severity: "error",
      from: { path: "^provider/" },
      to: { path: "^(test|examples)/" },
    },
    {
      name: "examples-as-a-user",
      comment: "an example imports the package by its name",
      severity: "error",
      from: { path: "^examples/" },
      to: { path: "^(provider|test)/" },
    },
    {
      name: "no-dev-dependency",
      comment: "what provider/ imports is installed with the package",
      severity: "error",
      from: { path: "^provider/" },
      to: {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"],
        dependencyTypesNot: ["type-only", "npm-peer"],
      },
    },
  ],
  options: {
    doNotFollow: { path: ["node_modules", "^dist/"] },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    moduleSystems: ["cjs", "es6"],
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["require", "default"] },
  },
};
