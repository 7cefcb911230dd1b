import type { SimulatedHost } from "../simulator";

/** How a program is written: all three are programs of Pulumi's Node.js runtime. */
export type Dialect = "typescript" | "commonjs" | "esm";

const MANIFESTS: Readonly<Record<Dialect, object>> = {
  typescript: { main: "index.ts" },
  commonjs: { main: "index.js" },
  esm: { main: "index.js", type: "module" },
};

const IMPORTS: Readonly<Record<Dialect, string>> = {
  typescript: `import { XenTempIso, type XenTempIsoArgs } from "pulumi-xen-iso";`,
  commonjs: `const { XenTempIso } = require("pulumi-xen-iso");`,
  esm: `import { XenTempIso } from "pulumi-xen-iso";`,
};

/** A project with one disc, `seed`, that exports its outputs. */
export function discProgram(args: object, dialect: Dialect = "commonjs"): Record<string, string> {
  const type = dialect === "typescript" ? ": XenTempIsoArgs" : "";
  const names = "srUuid, pbdUuid, vdiUuid, isoName, status";
  const exported = dialect === "commonjs" ? `Object.assign(exports, { ${names} });` : `export { ${names} };`;
  const program = `${IMPORTS[dialect]}
const args${type} = ${JSON.stringify(args, null, 2)};
const { ${names} } = new XenTempIso("seed", args);
${exported}
`;
  return {
    "Pulumi.yaml": "name: test-project\nruntime: nodejs\n",
    "package.json": JSON.stringify({ name: "test-project", private: true, ...MANIFESTS[dialect] }),
    [dialect === "typescript" ? "index.ts" : "index.js"]: program,
  };
}

/** The connection to a simulated host as a program writes it. */
export function connectionTo(host: SimulatedHost): Record<string, unknown> {
  const { host: name, port, user, password, hostKey } = host.connection;
  return { host: name, port, user, password, hostKey, dialErrorLimit: 3 };
}
