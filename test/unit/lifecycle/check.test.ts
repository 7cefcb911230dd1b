import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { utils } from "ssh2";
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
    inputs: { ...good, srMountPath: "/var/opt/xen-iso", isoSha256 },
    failures: [],
  });
});

const long = "a".repeat(160);

test.each<[string, Record<string, unknown>, RegExp]>([
  ["no source", { isoPath: undefined }, /^isoPath: is missing/],
  [
    "no such file",
    { isoPath: "no/such.iso" },
    /^isoPath: there is no file \/.*no\/such\.iso; a relative path counts/,
  ],
  ["no image", { isoPath: writeTemporary(Buffer.from("text")) }, /^isoPath: .*neither an ISO 9660 nor a UDF/],
  ["an asset", { isoPath: new pulumi.asset.FileAsset("x") }, /^isoPath: takes the path of a file as text/],
  ["an unknown argument", { isoPaht: "x" }, /^isoPaht: is no argument of XenTempIso; there are isoPath/],
  ["a control character in the resource's name", { owner: `${owner}\n` }, /^name: .*control character/],
  ["a control character in srName", { srName: "a\nserver=x" }, /^srName: has a control character/],
  ["an empty srName", { srName: "" }, /^srName: takes a text/],
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
  ["a once that is no boolean", { once: "yes" }, /^once: takes true or false/],
  [
    "no host",
    { connection: { password: "p" } },
    /^connection\.host: is missing; set it, or `pulumi config set xen:host/,
  ],
  [
    "a URL as host",
    { connection: { ...connection, host: "ssh://x" } },
    /^connection\.host: takes a name or an IP/,
  ],
  [
    "a bad port",
    { connection: { ...connection, port: 0 } },
    /^connection\.port: takes a whole number from 1/,
  ],
  [
    "a port as text",
    { connection: { ...connection, port: "22" } },
    /^connection\.port: takes a whole number/,
  ],
  ["a bad host key", { connection: { ...connection, hostKey: "MD5:aa" } }, /^connection\.hostKey: /],
  [
    "an unknown field",
    { connection: { ...connection, pasword: "hunter2" } },
    /^connection\.pasword: is no field/,
  ],
  ["a connection that is a text", { connection: "xen1" }, /^connection: takes an object/],
  [
    "a bad private key",
    { connection: { host: "h", privateKey: "hunter2" } },
    /^connection\.privateKey: cannot be used/,
  ],
  [
    "a jump host without a host",
    { connection: { ...connection, proxy: { password: "x" } } },
    /^connection\.proxy\.host/,
  ],
  [
    "an unknown field of it",
    { connection: { ...connection, proxy: { host: "j", password: "x", x: 1 } } },
    /^connection\.proxy\.x/,
  ],
])("refuses %s", async (_title, change, reason) => {
  const found = await reasons({ ...good, ...change });
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(reason);
  expect(found[0]).not.toMatch(/s3cret|hunter2/);
});

test("refuses a connection without any way to log in", async () => {
  const agent = process.env["SSH_AUTH_SOCK"];
  delete process.env["SSH_AUTH_SOCK"];
  try {
    await expect(reasons({ ...good, connection: { host: "h" } })).resolves.toEqual([
      expect.stringMatching(/^connection: has no way to log in; set password, privateKey or agentSocketPath/),
    ]);
  } finally {
    if (agent !== undefined) process.env["SSH_AUTH_SOCK"] = agent;
  }
});

test("an encrypted private key needs its password, and the right one", async () => {
  const { private: privateKey } = utils.generateKeyPairSync("ed25519", {
    passphrase: "right",
    cipher: "aes256-ctr",
    rounds: 4,
  });
  const check = (privateKeyPassword?: string) =>
    reasons({ ...good, connection: { host: "h", privateKey, privateKeyPassword } });
  await expect(check("right")).resolves.toEqual([]);
  await expect(check()).resolves.toEqual([
    expect.stringMatching(/encrypted, and there is no privateKeyPassword/),
  ]);
  await expect(check("wrong")).resolves.toEqual([
    expect.stringMatching(/privateKeyPassword does not open it/),
  ]);
});

test("tells all that is wrong at once", async () => {
  await expect(reasons({ owner, isoName: "a", connection: {} })).resolves.toHaveLength(4);
});

test("fields that the program leaves out come from the stack's configuration", async () => {
  configured({ "xen:host": "xen1.example.net", "xen:password": "s3cret", "xen:port": "2222" });
  await expect(reasons({ isoPath, owner })).resolves.toEqual([]);
  configured({ "xen:host": "xen1.example.net", "xen:password": "s3cret", "xen:port": "many" });
  await expect(reasons({ isoPath, owner })).resolves.toEqual([
    "xen:port (stack configuration): takes a whole number from 1 to 65535",
  ]);
});

test("a jump host may be configured as JSON", async () => {
  configured({ "xen:proxy": `{"host": "jump.example.net", "password": "p"}` });
  await expect(reasons(good)).resolves.toEqual([]);
  configured({ "xen:proxy": "jump.example.net" });
  await expect(reasons(good)).resolves.toEqual([
    expect.stringMatching(/^xen:proxy \(stack configuration\): takes an object/),
  ]);
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
