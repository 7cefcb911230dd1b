/**
 * `npm run record:states`: writes the stacks of the present version, as `states.test.ts` reads them, from the programs of
 * the version that had each first.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../package.json";
import { findEngine } from "../engine/engine";
import { installPlugin } from "../engine/plugin";
import { makeProject, writeFiles } from "../engine/project";
import { Stack } from "../engine/stack";
import { seedImage } from "../seed-image";
import { type SimulatedPool, startPool } from "../simulator";

const RECORDED = join(__dirname, "recorded");

/** What the programs of 0.1.0 name of the host of that time. */
const OLD_PORT = "40821";
const OLD_KEY = /ssh-ed25519 [A-Za-z0-9+/=]+/g;

/** In the states instead of the password of the simulated host. */
const PASSWORD = "dom0-secret";

interface Recorded {
  readonly project: string;
  /** The version whose programs are taken. */
  readonly since: string;
  readonly programs: readonly string[];
  readonly settings: (pool: SimulatedPool) => Readonly<Record<string, string>>;
  readonly passwordKey: string;
}

const TYPESCRIPT = { since: "0.1.0", programs: ["index.ts", "update.ts"] };

const STACKS: Readonly<Record<string, Recorded>> = {
  isopath: {
    project: "newcomer",
    ...TYPESCRIPT,
    passwordKey: "newcomer:xenPassword",
    settings: () => ({}),
  },
  "files-attachment-release": {
    project: "s2",
    ...TYPESCRIPT,
    passwordKey: "xen:password",
    settings: ({ xapi, coordinator: { connection } }) => ({
      "xen:host": connection.host,
      "xen:port": String(connection.port),
      "xen:hostKey": connection.hostKey,
      "s2:vmUuid": xapi.addVm({ name: "web-1", powerState: "running", drives: [{ userdevice: "3" }] }).vm
        .uuid,
    }),
  },
  plugin: {
    project: "languages",
    since: "0.2.0",
    programs: ["Pulumi.yaml", "update.yaml"],
    passwordKey: "xen:password",
    settings: ({ coordinator: { connection } }) => ({
      "xen:host": connection.host,
      "xen:port": String(connection.port),
      "xen:hostKey": connection.hostKey,
    }),
  },
};

async function record(
  name: string,
  { project: projectName, since, programs: names, settings, passwordKey }: Recorded,
): Promise<void> {
  await using pool = await startPool({ transport: "embedded" });
  const { connection } = pool.coordinator;
  const today = (file: string) =>
    readFileSync(join(RECORDED, since, name, file), "utf8")
      .replaceAll(OLD_PORT, String(connection.port))
      .replaceAll(OLD_KEY, connection.hostKey);
  const programs = Object.fromEntries(names.map((file) => [file, today(file)]));
  await using project = await makeProject({
    "Pulumi.yaml": `name: ${projectName}\nruntime: nodejs\n`,
    ...programs,
    "web-1.iso": await seedImage(),
    "big.txt": "big\n",
  });
  await installPlugin(project);
  await using stack = await Stack.create(
    await findEngine(),
    project.folder,
    { PULUMI_CONFIG_PASSPHRASE: "x" },
    "dev",
  );
  for (const [key, value] of Object.entries(settings(pool))) await stack.config(key, value);
  await stack.config(passwordKey, connection.password ?? "", { secret: true });
  await stack.up();

  await stack.config(passwordKey, PASSWORD, { secret: true });
  const { stdout } = await stack.run(["stack", "export", "--show-secrets"]);
  await writeFiles(project, { "state.json": stdout.replaceAll(connection.password ?? "", PASSWORD) });
  await stack.run(["stack", "import", "--file", "state.json"]);
  const folder = join(RECORDED, version, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries({
    ...programs,
    "Pulumi.dev.yaml": readFileSync(join(project.folder, "Pulumi.dev.yaml"), "utf8"),
    "state.json": withoutPositions(await stack.exportText()),
  }))
    writeFileSync(join(folder, file), text);
  await stack.run(["stack", "import", "--file", "state.json"]);
}

/** The state without the places in programs, which name folders of the machine. */
function withoutPositions(state: string): string {
  const skipped = ["sourcePosition", "stackTrace"];
  const kept = (key: string, value: unknown) => (skipped.includes(key) ? undefined : value);
  return `${JSON.stringify(JSON.parse(state), kept, 4)}\n`;
}

void (async () => {
  for (const [name, stack] of Object.entries(STACKS)) await record(name, stack);
})();
