import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFile, copyFile } from "node:fs/promises";
import { join } from "node:path";
import { tempIso } from "../../provider/lifecycle/provider";
import type { Site } from "./site";

/** Is there on every host, and is no folder. */
const FILE_ON_HOST = "/etc/xensource-inventory";

/** Arguments that no disc can have. */
const BAD_NAMES: readonly Record<string, string>[] = [
  { isoName: "seed.img" },
  { isoName: "a/b.iso" },
  { isoName: "a=b.iso" },
  { isoName: "ü.iso" },
  { isoName: "-\n.iso" },
  { isoName: "xs-tools.iso" },
  { isoName: "7b84f233-8aa3-468d-b254-fd585194da21.iso" },
  { isoName: `${"a".repeat(300)}.iso` },
  { srName: "a\nname-description=b" },
  { srName: "" },
  { srMountPath: "var/opt/xen-iso" },
  { srMountPath: "/var/opt/../xen-iso" },
  { srMountPath: "/var/opt/a=b" },
];

/** With a password that nobody has: were it sent before the key is compared, the host would refuse that. */
export async function otherHostKey(site: Site): Promise<void> {
  const inputs = await site.check();
  const { host, port, user } = site.start.host.target;
  const hostKey = `SHA256:${randomBytes(32).toString("base64").replace("=", "")}`;
  const connection = { host, port, user, hostKey, password: randomBytes(12).toString("hex") };
  const isRefused = /host key of .* does not match the one that was set/;
  await assert.rejects(site.createFrom({ ...inputs, connection }), isRefused);
}

/** The file stays as it is. */
export async function fileAsMountPath(site: Site): Promise<void> {
  await assert.rejects(site.create({ srMountPath: FILE_ON_HOST }), /could not be made/);
}

/** As when a build writes it anew while the program runs. */
export async function changedImage(site: Site): Promise<void> {
  const { folder, small } = site.start.images;
  const isoPath = join(folder, "changing.iso");
  await copyFile(small.path, isoPath);
  const inputs = await site.check({ isoPath });
  await appendFile(isoPath, "more");
  await assert.rejects(site.createFrom(inputs), /changed while the program ran/);
}

/** Without the network, so that a preview tells. */
export async function badNames(site: Site): Promise<void> {
  for (const bad of BAD_NAMES) {
    const { failures } = await tempIso.check({}, site.argumentsWith(bad));
    const [argument = ""] = Object.keys(bad);
    const named = failures?.some(({ reason }) => reason.startsWith(`${argument}:`));
    assert.ok(named, `${JSON.stringify(bad)} passed`);
  }
}
