/**
 * `npm run host`: a simulated XenServer host to play with, on loopback, without root. It prints how to log in and the
 * lines for `pulumi config`, and runs until Ctrl-C. `npm run host -- --help` shows its options.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { Proxy, type ProxyFaults, type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { FAULTS } from "./faults";

interface Options {
  readonly hosts: number;
  readonly vm?: readonly string[];
  readonly slow?: true;
  readonly fault?: readonly string[];
}

/** A line of 8 Mbit/s over 50 ms, to a busy host. */
const SLOW_LINK = { delayMs: 25, bytesPerSecond: 1024 ** 2 };
const SLOW_XE_MS = 300;

async function main(): Promise<void> {
  const { hosts, vm = [], slow, fault = [] } = readOptions();
  await using pool = await startPool({ transport: "embedded", hosts, latencyMs: slow ? SLOW_XE_MS : 0 });
  const vms = vm.map((name) => pool.xapi.addVm({ name, powerState: "running" }).vm);
  const faults = fault.flatMap((name) => FAULTS[name] ?? []);
  for (const { toPool } of faults) toPool?.(pool);
  const link: Partial<ProxyFaults> = Object.assign(
    {},
    slow ? SLOW_LINK : undefined,
    ...faults.map(({ toLink }) => toLink),
  );
  await using links = await startLinks(pool, link);

  const folder = mkdtempSync(join(tmpdir(), "xen-playground-"));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const ended = endOfProcess();
  pool.hosts.forEach((host, index) => {
    const address = links.addresses[index] ?? host.connection;
    console.log(describeHost(host, address, writeLogin(folder, host, address)));
  });
  if (vms.length > 0) {
    console.log("Virtual machines, running, each with an empty CD drive:\n");
    for (const { nameLabel, uuid } of vms) console.log(`  ${nameLabel}  ${uuid}`);
    console.log("");
  }
  for (const name of fault) console.log(`Fault ${name}: ${FAULTS[name]?.text ?? ""}`);
  console.log(`Press Ctrl-C to stop (process ${process.pid}). Nothing is kept.`);
  await ended;
}

function readOptions(): Options {
  return new Command("npm run host --")
    .description("Simulates XenServer hosts on loopback, to try pulumi-xen-iso without a real one.")
    .option("--hosts <number>", "how many hosts the pool has", readHosts, 1)
    .option("--vm <name...>", "virtual machines that run on the first host, each with an empty CD drive")
    .option("--slow", "xe takes 300 ms, the link has 50 ms of round trip and passes 1 MiB/s")
    .addOption(new Option("--fault <name...>", "what goes wrong, see below").choices(Object.keys(FAULTS)))
    .addHelpText("after", `\nFaults:\n${faultsHelp()}`)
    .parse()
    .opts<Options>();
}

function readHosts(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 64)
    throw new InvalidArgumentError("It must be a whole number from 1 to 64.");
  return number;
}

function faultsHelp(): string {
  return Object.entries(FAULTS)
    .map(([name, { text }]) => `  ${name.padEnd(16)} ${text}`)
    .join("\n");
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** One proxy for each host, if there is anything for it to do. */
async function startLinks(
  { hosts }: SimulatedPool,
  faults: Partial<ProxyFaults>,
): Promise<AsyncDisposable & { readonly addresses: readonly Address[] }> {
  const isNeeded = Object.keys(faults).length > 0;
  const links = isNeeded ? await Promise.all(hosts.map((host) => Proxy.start(host.connection, faults))) : [];
  return {
    addresses: links,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(links.map((link) => link[Symbol.asyncDispose]()));
    },
  };
}

/** Files for OpenSSH's client: the private key, and the host's key. */
function writeLogin(folder: string, { name, connection }: SimulatedHost, { host, port }: Address) {
  const privateKey = join(folder, `${name}.key`);
  const knownHosts = join(folder, `${name}.known_hosts`);
  writeFileSync(privateKey, connection.privateKey, { mode: 0o600 });
  writeFileSync(knownHosts, `[${host}]:${port} ${connection.hostKey}\n`);
  return { privateKey, knownHosts };
}

function describeHost(
  { name, uuid, connection }: SimulatedHost,
  { host, port }: Address,
  { privateKey, knownHosts }: { privateKey: string; knownHosts: string },
): string {
  const { user, password = "", hostKey } = connection;
  const ssh = `ssh -p ${port} -i ${privateKey} -o UserKnownHostsFile=${knownHosts} ${user}@${host}`;
  return `Host ${name} (${uuid}) listens at ${host}:${port}.

To run a command on it, with its key (there is no interactive shell; the password is ${password}):

  ${ssh} xe sr-list

For a stack:

  pulumi config set xen:host ${host}
  pulumi config set xen:port ${port}
  pulumi config set --secret xen:password ${password}
  pulumi config set xen:hostKey "${hostKey}"

For \`npx pulumi-xen-iso\`:

  export XEN_HOST=${host} XEN_PORT=${port} XEN_PASSWORD=${password} XEN_HOST_KEY="${hostKey}"
`;
}

/** Resolves when the user or the system asks this process to end. */
function endOfProcess(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
