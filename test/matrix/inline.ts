/** A program that Pulumi's Automation API runs in its own process; its argument is the operation. */
export const INLINE_PROGRAM = `
const automation = require("@pulumi/pulumi/automation");
const { XenTempIso } = require("pulumi-xen-iso");
const args = require("./arguments.json");

async function main() {
  const stack = await automation.LocalWorkspace.createOrSelectStack(
    {
      stackName: "test",
      projectName: "test-project",
      program: async () => ({ vdiUuid: new XenTempIso("seed", args).vdiUuid }),
    },
    { workDir: __dirname },
  );
  const { stdout } = await stack[process.argv[2]]();
  console.log(stdout);
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
`;
