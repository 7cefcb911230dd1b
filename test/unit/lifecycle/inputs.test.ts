import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import { checkTempIso, defaultIsoName } from "../../../provider/lifecycle/inputs";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";
import { imageBytes, writeTemporary } from "../image";

const bytes = imageBytes("check");
const isoPath = writeTemporary(bytes);
const isoSha256 = createHash("sha256").update(bytes).digest("hex");
const owner = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1";
const connection = { host: "xen1.example.net", password: "s3cret" };
const good = { isoPath, owner, connection };

function configured(values: Record<string, unknown>): void {
  configure({ get: (key) => values[key] as string, require: (key) => values[key] as string });
}

beforeEach(() => {
  configured({});
});

async function reasons(news: Record<string, unknown>, olds: Record<string, unknown> = {}): Promise<string[]> {
  const { failures } = await checkTempIso(olds, news);
  // The engine prints the value of a property that is named.
  expect(failures.every(({ property }) => property === "")).toBe(true);
  return failures.map(({ reason }) => reason);
}

test("completes good arguments", async () => {
  await expect(checkTempIso({}, good)).resolves.toEqual({
    inputs: {
      ...good,
      srMountPath: "/var/opt/xen-iso",
      isoSha256,
      nonce: expect.stringMatching(/^[0-9a-f-]{36}$/),
    },
    failures: [],
  });
});

test("takes a pool's hosts with fields of their own, without a name or a password", async () => {
  const hostConnections = { xen2: { port: 2222 }, "192.0.2.3": { hostKey: UNKNOWN } };
  expect(await reasons({ ...good, poolWide: true, skipOfflineHosts: true, hostConnections })).toEqual([]);
});

const long = "a".repeat(160);

test.each<[string, Record<string, unknown>, RegExp]>([
  ["no source", { isoPath: undefined }, /^isoPath: is missing/],
  [
    "no such file",
    { isoPath: "no/such.iso" },
    /^isoPath: there is no file \/.*no\/such\.iso; a relative path starts at/,
  ],
  ["a path with ~", { isoPath: "~/x.iso" }, /^isoPath: begins with ~.*; set it to \/.*\/x\.iso$/],
  [
    "a path with ~ and a user",
    { isoPath: "~eve/x.iso" },
    /^isoPath: begins with ~.*; set it to the path in full$/,
  ],
  ["a file: URL", { isoPath: "file:///srv/a%20b.iso" }, /^isoPath: is a URL; set it to \/srv\/a b\.iso$/],
  [
    "a URL of another kind",
    { isoPath: "ftp://example.net/x.iso" },
    /^isoPath: is a URL that begins with ftp:\/\/; .* isoUrl/,
  ],
  [
    "a pattern",
    { isoPath: "*.iso" },
    /^isoPath: .*; only a shell expands a pattern: set it to the path of one file$/,
  ],
  [
    "a pattern that a file matches",
    { isoPath: isoPath.replace(/[^/]+$/, "*.is?") },
    /: set it to the path of one file, such as \/.*\.iso$/,
  ],
  ["a URL", { isoPath: "https://example.net/x.iso" }, /^isoPath: is a URL; set isoUrl/],
  ["no image", { isoPath: writeTemporary(Buffer.from("text")) }, /^isoPath: .*neither an ISO 9660 nor a UDF/],
  [
    "an asset",
    { isoPath: new pulumi.asset.FileAsset("x") },
    /^isoPath: must be the path of a file as a non-empty string/,
  ],
  ["a poolWide that is no boolean", { poolWide: "yes" }, /^poolWide: must be true or false/],
  [
    "downloadOnHost with poolWide",
    {
      isoPath: undefined,
      isoUrl: "https://example.net/a.iso",
      isoChecksum: `sha256:${"0".repeat(64)}`,
      downloadOnHost: true,
      poolWide: true,
    },
    /^downloadOnHost: cannot be given with poolWide/,
  ],
  ["hostConnections without poolWide", { hostConnections: {} }, /^hostConnections: .*set poolWide too/],
  [
    "hostConnections that are no object",
    { poolWide: true, hostConnections: "xen2" },
    /^hostConnections: must be an object/,
  ],
  [
    "a host's connection that is no object",
    { poolWide: true, hostConnections: { xen2: 2222 } },
    /^hostConnections\.xen2: must be an object/,
  ],
  [
    "a bad field of a host's connection",
    { poolWide: true, hostConnections: { xen2: { port: 0 } } },
    /^hostConnections\.xen2\.port: /,
  ],
  [
    "an unknown field of a host's connection",
    { poolWide: true, hostConnections: { xen2: { hots: "x" } } },
    /^hostConnections\.xen2\.hots: /,
  ],
  [
    "a bad field of a host's proxy",
    { poolWide: true, hostConnections: { xen2: { proxy: { host: "a b", password: "p" } } } },
    /^hostConnections\.xen2\.proxy\.host: /,
  ],
  ["an unknown argument", { isoPaht: "x" }, /^isoPaht: is not an argument; did you mean isoPath\?$/],
  ["a control character in the resource's name", { owner: `${owner}\n` }, /^name: .*control character/],
  ["a control character in srName", { srName: "a\nserver=x" }, /^srName: has a control character/],
  ["an empty srName", { srName: "" }, /^srName: must be a non-empty string/],
  ["a slash in isoName", { isoName: "a/b.iso" }, /^isoName: takes printable ASCII/],
  ["an equals sign in isoName", { isoName: "a=b.iso" }, /^isoName: takes printable ASCII/],
  ["a name that is not ASCII", { isoName: "ü.iso" }, /^isoName: takes printable ASCII/],
  ["a name without .iso", { isoName: "a.img" }, /^isoName: has to end in \.iso/],
  ["the name of the tools", { isoName: "xs-tools.iso" }, /^isoName: may not begin with xs-tools/],
  [
    "a UUID as a name",
    { isoName: "7B84f233-8aa3-468d-b254-fd585194da21.iso" },
    /^isoName: may not begin with <uuid>/,
  ],
  ["a long name", { isoName: `${"a".repeat(200)}.iso` }, /^isoName: has more than \d+ characters/],
  ["a relative srMountPath", { srMountPath: "var/opt" }, /^srMountPath: takes an absolute folder/],
  ["srMountPath /", { srMountPath: "/" }, /^srMountPath: takes an absolute folder/],
  ["a slash at the end", { srMountPath: "/var/" }, /^srMountPath: takes an absolute folder/],
  ["two slashes", { srMountPath: "/var//opt" }, /^srMountPath: takes an absolute folder/],
  ["..", { srMountPath: "/var/../etc" }, /^srMountPath: may not hold/],
  ["an equals sign", { srMountPath: "/var/a=b" }, /^srMountPath: takes printable ASCII/],
  ["a long srMountPath", { srMountPath: `/${long}` }, /^srMountPath: has more than/],
  ["a once that is no boolean", { once: "yes" }, /^once: must be true or false/],
])("refuses %s", async (_title, change, reason) => {
  const found = await reasons({ ...good, ...change });
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(reason);
  expect(found[0]).not.toMatch(/s3cret|hunter2/);
});

test("tells all that is wrong at once", async () => {
  await expect(reasons({ owner, isoName: "a", connection: {} })).resolves.toHaveLength(3);
});

test("values that are not known yet are left for the up", async () => {
  const news = {
    isoPath: UNKNOWN,
    owner,
    srName: UNKNOWN,
    once: UNKNOWN,
    connection: { host: UNKNOWN, password: UNKNOWN, proxy: UNKNOWN },
  };
  await expect(checkTempIso({}, news)).resolves.toMatchObject({
    inputs: { isoSha256: UNKNOWN },
    failures: [],
  });
  await expect(reasons({ ...news, connection: UNKNOWN })).resolves.toEqual([]);
});

test("content that ignoreChanges keeps is kept, and the file is not opened", async () => {
  const news = { ...good, isoPath: "gone.iso", isoSha256: "old" };
  await expect(checkTempIso({ isoSha256: "old" }, news)).resolves.toMatchObject({
    inputs: { isoSha256: "old" },
    failures: [],
  });
});

test("an imported disc needs no source until it is made anew", async () => {
  const imported = { owner, connection: good.connection, isoSha256: "old" };
  await expect(checkTempIso({ isoSha256: "old" }, imported)).resolves.toMatchObject({
    inputs: { isoSha256: "old" },
    failures: [],
  });
  for (const olds of [{}, { isoSha256: "other" }])
    await expect(checkTempIso(olds, imported)).resolves.toMatchObject({
      failures: [{ reason: expect.stringMatching(/^isoPath: is missing/) as string }],
    });
});

test("a replacement is hashed anew, because it sends what the file has now", async () => {
  await expect(checkTempIso({}, { ...good, isoSha256: "old" })).resolves.toMatchObject({
    inputs: { isoSha256 },
  });
});

const UUID = "7b84f233-8aa3-468d-b254-fd585194da21";

test.each([
  ["web-1", `web-1-${UUID}.iso`],
  ["a/b=c ü", `a-b-c--${UUID}.iso`],
  ["xs-tools", `iso-xs-tools-${UUID}.iso`],
  ["x".repeat(300), `${"x".repeat(155)}-${UUID}.iso`],
])("the default name of %s", (name, isoName) => {
  expect(defaultIsoName(`urn:pulumi:s::p::t::${name}`, "/var/opt/xen-iso", UUID)).toBe(isoName);
  expect(`/var/opt/xen-iso/${UUID}/${isoName}`.length).toBeLessThanOrEqual(250);
});
