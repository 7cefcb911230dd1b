import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { findEngine } from "../engine/engine";
import { makeProject } from "../engine/project";
import { Stack } from "../engine/stack";
import { nothing } from "../host/pool";
import { seedImage } from "../seed-image";
import { type SimulatedPool, startPool } from "../simulator";
import { WebServer } from "../web-server";
import { readPages } from "./pages";
import { type Program, programsOf } from "./programs";

/** Their readers are tested, too: recipes.test.ts. */
const RECIPES = "docs/recipes.md";

/** It logs in to a jump host with a key of the SSH agent. */
const JUMP_HOST = "a-jump-host";

test("the programs of README and docs/ make discs, and nothing is left of them", async () => {
  const pages = (await readPages()).filter(({ path }) => path !== RECIPES);
  const programs = pages.flatMap(programsOf).filter(({ section }) => section !== JUMP_HOST);
  expect(programs.length).toBeGreaterThan(10);

  await using web = await startDownloads();
  await using pool = await startPool({ transport: "embedded", hosts: 3 });
  const code = programs.map((program, index) => asHere(program, index, { pool, web }));
  const images = localFilesOf(code).map(async (path) => [path, await seedImage({ path })] as const);
  await using project = await makeProject({
    "index.ts": [
      // Where a program waits for its VM, the VM answers.
      "Object.assign(globalThis, { answers: (address: string) => Promise.resolve(address) });",
      ...code.map((_, index) => `require("./block-${index}.ts");`),
    ].join("\n"),
    ...Object.fromEntries(code.map((text, index) => [`block-${index}.ts`, text])),
    ...Object.fromEntries(await Promise.all(images)),
  });
  await using stack = await Stack.create(await findEngine(), project.folder);
  await configure(stack, pool);

  await stack.up();
  const { resources = [] } = (await stack.export()).deployment;
  const srUuidsOf = (type: string) =>
    resources.filter((each) => each.type.endsWith(type)).map(({ outputs }) => String(outputs?.["srUuid"]));
  const released = srUuidsOf("xen:IsoRelease");
  const left = srUuidsOf("xen:TempIso").filter((srUuid) => !released.includes(srUuid));
  expect(released).toHaveLength(occurrences(code, "new XenIsoRelease("));
  // In a loop, one statement makes several.
  expect(left.length).toBeGreaterThan(occurrences(code, "new XenTempIso(") - released.length);
  expect(pool.xapi.srs.map(({ uuid }) => uuid).sort()).toEqual(left.sort());
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});

/** The files that the pages download. */
async function startDownloads(): Promise<WebServer> {
  const web = await WebServer.start();
  const image = gzipSync(await seedImage());
  const sha256 = createHash("sha256").update(image).digest("hex");
  web.serve("/installer.iso.xz", { bytes: image });
  web.serve("/SHA256SUMS", { bytes: Buffer.from(`${sha256}  installer.iso.xz\n`) });
  for (const path of ["/agent.deb", "/motd.txt", "/readme.txt"])
    web.serve(path, { bytes: Buffer.from("test") });
  return web;
}

/** All programs share a stack, so the names of resources get the program's number. Each attachment gets its own VM. */
function asHere(
  { code }: Program,
  index: number,
  { pool, web }: { pool: SimulatedPool; web: WebServer },
): string {
  const [first, second] = pool.hosts.map(({ connection }) => connection);
  return code
    .replaceAll(/(new Xen\w+\(["`])/g, `$1${index}-`)
    .replaceAll(
      /"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"/g,
      () => `"${pool.xapi.addVm({ name: "vm" }).vm.uuid}"`,
    )
    .replaceAll("xen1.example.net", first!.host)
    .replaceAll("xen2.example.net", second!.host)
    .replaceAll("port: 2222", `port: ${first!.port}`)
    .replaceAll('"MIIB…"', '"MIIB"')
    .replaceAll(/https:\/\/\w+\.example\.net/g, web.origin);
}

const localFilesOf = (code: readonly string[]) =>
  Array.from(code.join("\n").matchAll(/\b(?:isoPath|path): "\.\/([^"]+)"/g), ([, path = ""]) => path);

const occurrences = (code: readonly string[], text: string) => code.join("\n").split(text).length - 1;

async function configure(stack: Stack, { hosts, coordinator }: SimulatedPool): Promise<void> {
  const { host, port, password = "" } = coordinator.connection;
  await stack.configAll(
    {
      "xen:host": host,
      "xen:port": port,
      "xen:hostKey": JSON.stringify(hosts.map(({ connection }) => connection.hostKey)),
      hosts: JSON.stringify(Object.fromEntries(hosts.map(({ name, connection }) => [name, connection.host]))),
    },
    { "xen:password": password, passwordHash: "$6$salt$hash" },
  );
}
