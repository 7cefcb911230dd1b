/**
 * `npm run record`: `pulumi up` in a terminal, with the real engine and a simulated host, as the picture in the
 * README. Needs asciinema.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { findEngine } from "../engine/engine";
import { connectionTo } from "../engine/programs";
import { makeProject } from "../engine/project";
import { Stack } from "../engine/stack";
import { seedImage } from "../seed-image";
import { Proxy, startPool } from "../simulator";
import { readAsciicast } from "./asciicast";
import { framesOf } from "./screen";
import { renderSvg } from "./svg";

const PICTURE = resolve(__dirname, "up.svg");

const MIB = 1024 ** 2;

const COMMAND = "pulumi up --yes --skip-preview";

/** One disc of a few KiB, and one that takes a while on a link of about 130 Mbit/s. */
const PROGRAM = `import { XenTempIso } from "pulumi-xen-iso";

const seed = new XenTempIso("seed", { isoPath: "seed.iso" });
const installer = new XenTempIso("installer", { isoPath: "installer.iso" });

export const seedVdi = seed.vdiUuid;
export const installerVdi = installer.vdiUuid;
`;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "recording-"));
  try {
    const recording = join(folder, "up.cast");
    await record(recording);

    const cast = await readAsciicast(recording);
    const frames = await framesOf(cast);
    // One in the midst of the upload tells most.
    const uploading = frames.flatMap(({ lines }, index) =>
      lines.flat().some(({ text }) => /uploading [3-7]\d %.* left/.test(text)) ? [index] : [],
    );
    const [still] = uploading;
    if (still === undefined) throw new Error("The recording does not show an upload.");
    const svg = renderSvg(cast, frames, { title: `${COMMAND}, in a terminal`, still });
    assertNeutral(svg);
    await writeFile(PICTURE, svg);
    console.log(`${PICTURE}: ${frames.length} frames, ${Math.round(svg.length / 1024)} KiB`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function record(recording: string): Promise<void> {
  const engine = await findEngine(console.log);
  await using pool = await startPool({ transport: "embedded" });
  await using proxy = await Proxy.start(pool.coordinator.connection, { bytesPerSecond: 16 * MIB });
  const noise = { base64: randomBytes(10 * MIB).toString("base64") };
  const parts = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`part-${index + 1}`, noise]));
  await using project = await makeProject({
    "Pulumi.yaml": "name: shop\nruntime: nodejs\n",
    "index.ts": PROGRAM,
    "seed.iso": await seedImage(),
    "installer.iso": await seedImage(parts),
  });
  await using stack = await Stack.create(engine, project.folder);
  const { host, hostKey, password } = connectionTo(pool.coordinator);
  await stack.config("xen:host", String(host));
  await stack.config("xen:port", String(proxy.port));
  await stack.config("xen:hostKey", String(hostKey));
  await stack.config("xen:password", String(password), { secret: true });

  const { CI: _ci, NO_COLOR: _colour, ...env } = stack.env;
  const typed = `printf '\\033[32m$\\033[0m ${COMMAND}\\r\\n'; exec ${COMMAND}`;
  await promisify(execFile)(
    "asciinema",
    [
      "rec",
      "--quiet",
      "--cols",
      "120",
      "--rows",
      "17",
      "--idle-time-limit",
      "1",
      "--command",
      typed,
      recording,
    ],
    { cwd: project.folder, env: { ...env, TERM: "xterm-256color", LC_ALL: "C.UTF-8" } },
  );
}

/** The picture is published: it says nothing of the machine that made it. */
function assertNeutral(svg: string): void {
  const telling = [hostname(), tmpdir(), resolve(__dirname, "../.."), "file://"];
  const told = telling.filter((text) => svg.includes(text));
  if (told.length > 0) throw new Error(`The recording shows ${told.join(", ")}.`);
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
