/**
 * One cell of the table of links: a process in a network namespace of its own, which has the host; the provider and scp
 * run in another one. Its argument is a {@link CellOrder} as JSON; prints a {@link CellResult} as JSON.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPool, type SimulatedHost } from "../../simulator";
import { KIB, randomImage } from "../images";
import { time } from "../measure";
import { OpenSsh } from "../open-ssh";
import { ProviderProcess } from "../provider-process";
import { inNetworkOf, type LinkQuality, NetworkLink } from "./network";

export interface CellOrder {
  readonly quality: LinkQuality;
  readonly imageBytes: number;
}

export interface CellResult {
  readonly logins: number;
  readonly seconds: number;
  readonly scpSeconds: number;
  readonly isWhole: boolean;
  /** By how much a report of progress was at most ahead of the file on the host. */
  readonly aheadBytes: number;
}

const MOUNT_PATH = "/var/opt/xen-iso";
const COPY = "/var/opt/copy.iso";

async function run({ quality, imageBytes }: CellOrder): Promise<CellResult> {
  execFileSync("ip", ["link", "set", "lo", "up"]);
  const folder = mkdtempSync(join(tmpdir(), "xen-iso-link-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  let aheadBytes = 0;
  const onProgress = (arrivedBytes: number) => {
    aheadBytes = Math.max(aheadBytes, arrivedBytes - bytesOn(host));
  };
  await using provider = await ProviderProcess.start({ hasOwnNetwork: true, onProgress });
  await using link = await NetworkLink.between(provider.pid, quality);
  await using pool = await startPool({ transport: "sshd", address: link.hostAddress });
  const host = pool.coordinator;
  const image = randomImage(folder, imageBytes);
  const { host: name, port, user, privateKey, hostKey } = host.connection;
  const connection = { host: name, port, user, privateKey, hostKey };
  const inputs = await provider.check({ isoPath: image, owner: "urn:pulumi:dev::shop::x::seed", connection });

  let path = "";
  const durationMs = await time(async () => {
    const { srPath, isoName } = await provider.create(inputs);
    path = `${srPath}/${isoName}`;
  });
  const logins = host.connections;
  const openSsh = new OpenSsh(host.connection, ["nsenter", ...inNetworkOf(provider.pid)]);
  const scpMs = await time(() => openSsh.scp(image, COPY));
  const wanted = hashOf(image);
  return {
    logins,
    seconds: durationMs / 1_000,
    scpSeconds: scpMs / 1_000,
    isWhole: hashOf(host.path(path)) === wanted && hashOf(host.path(COPY)) === wanted,
    aheadBytes,
  };
}

/** How much of an image is on the host, complete or not, to a block of the file system. */
function bytesOn(host: SimulatedHost): number {
  const folder = host.path(MOUNT_PATH);
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder).flatMap((name) =>
    readdirSync(join(folder, name))
      .filter((file) => file === "upload" || file.endsWith(".iso"))
      .map((file) => join(folder, name, file)),
  );
  return files.reduce((sum, file) => sum + Math.ceil((statSync(file).blocks * 512) / KIB) * KIB, 0);
}

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

void run(JSON.parse(process.argv[2] ?? "") as CellOrder).then((result) => {
  console.log(JSON.stringify(result));
});
