import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { readSshConfig, type SshConfig } from "../../../provider/ssh/config";

afterEach(() => vi.unstubAllEnvs());

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "ssh-config-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function read(text: string, host = "xen1", more: object = {}): Promise<SshConfig | undefined> {
  return readSshConfig({ host, file: join(folderWith({ config: text }), "config"), ...more });
}

test("an alias gets what its block says, with tokens and variables in place", async () => {
  vi.stubEnv("KEYS", "/keys");
  const text = `
    Host xen*
      HostName %h.example.net
      Port 2222
      User admin
      IdentityFile ~/.ssh/%h-%r-%p
      IdentityFile "\${KEYS}/with blank/100%%"
      IdentityAgent /run/agent-%n
      IdentitiesOnly yes
      CertificateFile ~/.ssh/%n-cert.pub
      HostKeyAlias pool
      UserKnownHostsFile /known/%k "/with blank/known"
      GlobalKnownHostsFile none`;
  vi.stubEnv("HOME", "/home/of-this-test");
  expect(await read(text)).toEqual({
    hostName: "xen1.example.net",
    port: 2222,
    user: "admin",
    identityFiles: ["/home/of-this-test/.ssh/xen1.example.net-admin-2222", "/keys/with blank/100%"],
    certificateFiles: ["/home/of-this-test/.ssh/xen1-cert.pub"],
    identitiesOnly: true,
    identityAgent: "/run/agent-xen1",
    knownHosts: { files: ["/known/pool", "/with blank/known"], alias: "pool" },
    jumps: [],
    hasProxyCommand: false,
  });
});

test("what is unknown in a path stays as it is, and an agent in a variable that is not set is none", async () => {
  const text = `
    Host xen1
      IdentityFile /keys/%%%Z-\${NO_SUCH_VARIABLE}
      IdentityAgent $NO_SUCH_VARIABLE`;
  expect(await read(text)).toMatchObject({
    identityFiles: ["/keys/%%Z-${NO_SUCH_VARIABLE}"],
    identityAgent: "none",
  });
});

test.each([
  ["ProxyCommand nc %h %p", true],
  ["ProxyCommand none", false],
  ["ProxyJump jump\n ProxyCommand nc %h %p", false],
])("%s", async (option, hasProxyCommand) => {
  expect(await read(`Host xen1\n ${option}\n`)).toMatchObject({ hasProxyCommand });
});

test("what the program says is known to the rules of Match", async () => {
  const text = "Match user admin\n Port 1\nMatch host xen1 exec true\n Port 2\n";
  expect(await read(text, "xen1", { user: "admin" })).toMatchObject({ port: 1, user: "admin" });
  expect(await read(text, "xen1", { user: "other" })).toMatchObject({ port: 2 });
  expect(await read(text, "xen2", { user: "other", port: 3 })).toMatchObject({ port: 3 });
});

test("Include reads further files", async () => {
  const folder = folderWith({
    "more/1": "Host xen1\n Port 1\n",
    "more/2": "Host xen1\n User two\n Port 2\n",
  });
  expect(await read(`Include ${folder}/more/*`)).toMatchObject({ port: 1, user: "two" });
});

test.each<[string, string, object[]]>([
  ["one", "jump", [{ host: "jump" }]],
  ["with user and port", "me@jump:2222", [{ host: "jump", user: "me", port: 2222 }]],
  [
    "several",
    "a:1,b@[::1]:3",
    [
      { host: "a", port: 1 },
      { host: "::1", user: "b", port: 3 },
    ],
  ],
  ["an address", "[::1]", [{ host: "::1" }]],
  ["as a URL", "ssh://c@d:4/", [{ host: "d", user: "c", port: 4 }]],
  ["none", "none", []],
])("ProxyJump: %s", async (_title, value, jumps) => {
  expect(await read(`Host *\n ProxyJump ${value}\n`)).toMatchObject({ jumps });
});

test.each<[string, string, string | undefined]>([
  ["a path", "/a/b", "/a/b"],
  ["none", "none", "none"],
  ["SSH_AUTH_SOCK", "SSH_AUTH_SOCK", "/from/environment"],
  ["a variable", "$OTHER_AGENT", "/other"],
])("IdentityAgent: %s", async (_title, value, identityAgent) => {
  vi.stubEnv("SSH_AUTH_SOCK", "/from/environment");
  vi.stubEnv("OTHER_AGENT", "/other");
  expect(await read(`Host *\n IdentityAgent ${value}\n`)).toMatchObject({ identityAgent });
});

test("HOME says where the user's file is, and ~ in it", async () => {
  const home = folderWith({ ".ssh/config": "Host xen1\n Port 7\n IdentityFile ~/key\n" });
  vi.stubEnv("HOME", home);
  expect(await readSshConfig({ host: "xen1" })).toMatchObject({
    port: 7,
    identityFiles: [join(home, "key")],
    knownHosts: { files: expect.arrayContaining([join(home, ".ssh", "known_hosts")]) },
  });
  vi.stubEnv("HOME", folderWith({}));
  expect(await readSshConfig({ host: "xen1" })).toMatchObject({ hostName: "xen1", port: 22 });
});

test("the user of a file is told from the local user whom ssh -G prints without one", () => {
  const folder = mkdtempSync("/tmp/xen-iso-user-");
  try {
    chmodSync(folder, 0o755);
    for (const name of ["config", "error"])
      copyFileSync(join(__dirname, `../../../dist/ssh/${name}.js`), join(folder, `${name}.js`));
    // As root both are root: another user tries it.
    const isRoot = process.geteuid?.() === 0;
    const local = isRoot ? "nobody" : userInfo().username;
    writeFileSync(join(folder, "said"), `Host xen1\n User ${local}\n`);
    writeFileSync(join(folder, "unsaid"), "Host xen1\n Port 2\n");
    const script = `Promise.all(["said", "unsaid"].map(file => require("./config.js").readSshConfig({ host: "xen1", file })))
      .then(found => console.log(JSON.stringify(found.map(({ user }) => user ?? "left out"))))`;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], {
      cwd: folder,
      encoding: "utf8",
      env: { PATH: process.env["PATH"] },
      ...(isRoot && { uid: 65_534, gid: 65_534 }),
    });
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([local, "left out"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("one process answers the same question for all resources", async () => {
  const folder = folderWith({});
  const file = join(folder, "config");
  writeFileSync(file, `Match exec "echo run >> ${folder}/runs"\n Port 5\n`);
  const answers = await Promise.all(Array.from({ length: 50 }, () => readSshConfig({ host: "xen1", file })));
  expect(answers.every((answer) => answer?.port === 5)).toBe(true);
  expect(readFileSync(join(folder, "runs"), "utf8")).toBe("run\n");
});

test("a file that ssh refuses is refused with its words", async () => {
  const refused = read("Host xen1\n Colour green\n");
  await expect(refused).rejects.toMatchObject({ code: "SSH_CONFIG_REFUSED", host: "xen1" });
  await expect(refused).rejects.toThrow(/line 2: Bad configuration option: colour/);
});

test("a host is no option of ssh, whatever it begins with", async () => {
  const folder = folderWith({});
  const file = join(folder, "config");
  writeFileSync(file, "");
  await readSshConfig({ host: `-oProxyCommand=touch\${IFS}${folder}/touched`, file }).catch(() => undefined);
  await readSshConfig({ host: `-F${folder}/other`, file }).catch(() => undefined);
  expect(() => readFileSync(join(folder, "touched"))).toThrow();
});

test("without an ssh there is no configuration", async () => {
  vi.stubEnv("PATH", folderWith({}));
  expect(await read("Host xen1\n Port 2\n")).toBeUndefined();
});
