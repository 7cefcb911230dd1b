import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SimulatedPool, startPool } from "../../simulator";
import { Login, makeSr } from "./ssh";

let pool: SimulatedPool;
let login: Login;
beforeAll(async () => {
  pool = await startPool({ transport: "embedded" });
  login = await Login.to(pool.coordinator);
});
afterAll(async () => {
  await login[Symbol.asyncDispose]();
  await pool[Symbol.asyncDispose]();
});
const xe = (words: string) => login.run(`xe ${words}`);

describe("what xe prints", () => {
  it("is a paragraph a record, labels to one column, two empty lines after each", async () => {
    const { stdout, status } = await xe("host-list");
    expect(status).toBe(0);
    expect(stdout).toBe(
      `uuid ( RO)                : ${pool.coordinator.uuid}\n` +
        `          name-label ( RW): xen1\n` +
        `    name-description ( RW): Default install\n\n\n`,
    );
  });

  it("keeps the record's own order, whatever params= says", async () => {
    const { vm, drives } = pool.xapi.addVm({ name: "web", powerState: "running" });
    const { stdout } = await xe(`vbd-list vm-uuid=${vm.uuid} params=empty,device,uuid`);
    expect(stdout).toBe(
      `uuid ( RO)      : ${drives[0]?.uuid}\n     empty ( RO): true\n    device ( RO): xvdd\n\n\n`,
    );
    const { stdout: minimal } = await xe(`vbd-list vm-uuid=${vm.uuid} --minimal params=empty,uuid`);
    expect(minimal).toBe(`${drives[0]?.uuid}\n`);
  });

  it("is nothing for a list without a match, one empty line with --minimal, exit status 0", async () => {
    expect(await xe("sr-list name-label=none")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(await xe("sr-list name-label=none --minimal")).toEqual({ status: 0, stdout: "\n", stderr: "" });
  });

  it("escapes commas and backslashes with --minimal, and joins by commas", async () => {
    pool.xapi.addVm({ name: "a,b\\c" });
    pool.xapi.addVm({ name: "d" });
    const { stdout } = await xe("vm-list --minimal params=name-label");
    expect(stdout).toMatch(/a\\,b\\\\c,d\n$/);
  });

  it("shows an empty drive's disc as not in the database", async () => {
    const { vm } = pool.xapi.addVm({ name: "halted" });
    const { stdout } = await xe(`vbd-list vm-uuid=${vm.uuid} params=vdi-uuid,vdi-name-label`);
    expect(stdout).toBe(
      "vdi-uuid ( RO)          : <not in database>\n    vdi-name-label ( RO): <EMPTY>\n\n\n",
    );
  });

  it("is the SR's UUID, and an empty line after it with --minimal", async () => {
    await login.run("mkdir -p /var/opt/xen-iso/minimal");
    const create =
      "sr-create name-label=m type=iso device-config:location=/var/opt/xen-iso/minimal device-config:legacy_mode=true";
    expect((await xe(create)).stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    expect((await xe(`${create} --minimal`)).stdout).toMatch(/^[0-9a-f-]{36}\n\n$/);
  });
});

describe("how xe fails", () => {
  it("prints an API error's sentence and its parameters on standard error", async () => {
    expect(await xe("sr-scan uuid=none")).toEqual({
      status: 1,
      stdout: "",
      stderr: "The uuid you supplied was invalid.\ntype: SR\nuuid: none\n",
    });
  });

  it("prints a storage manager's error by code, with a blank at the end", async () => {
    const { stderr } = await xe(
      "sr-create name-label=x type=iso device-config:location=/nowhere device-config:legacy_mode=true",
    );
    expect(stderr).toBe("Error code: SR_BACKEND_FAILURE_226\nError parameters: , Invalid local path, \n");
  });

  it("prints a reference as its UUID and name", async () => {
    const { sr } = await makeSr(pool.coordinator, "named.iso", "/var/opt/xen-iso/named");
    expect((await xe(`sr-forget uuid=${sr}`)).stderr).toBe(
      `The SR is still connected to a host via a PBD. It cannot be destroyed or forgotten.\nsr: ${sr} (discs)\n`,
    );
  });

  it("names a missing parameter, an unknown command, an unknown field", async () => {
    const usage = "For usage run: 'xe help'\n";
    expect((await xe("sr-scan")).stderr).toBe(`Required parameter not found: uuid\n${usage}`);
    expect((await xe("--version")).stderr).toBe(`Unknown command: --version\n${usage}`);
    expect((await xe("host-list colour=blue")).stderr).toBe("Error: Unknown field 'colour'\n");
  });
});

describe("how xe reads its line", () => {
  it("takes a newline in an argument for the end of it", async () => {
    const { stdout } = await xe("host-list $'uuid=none\\n--minimal'");
    expect(stdout).toBe("\n");
  });

  it("lets the first of two equal keys count, and all of them before XE_EXTRA_ARGS", async () => {
    const { stdout } = await xe("host-list --minimal params=name-label params=uuid");
    expect(stdout).toBe("xen1\n");
    const extra = await login.run("XE_EXTRA_ARGS='params=uuid,--minimal' xe host-list params=name-label");
    expect(extra.stdout).toBe("xen1\n");
  });

  it("swallows the client's own keys, and asks the server they name", async () => {
    expect((await xe("host-list --minimal username=root password=x")).status).toBe(0);
    const elsewhere = await login.run("echo server=elsewhere >~/.xe; xe host-list; rm ~/.xe");
    expect(elsewhere.stderr).toBe("Host 'elsewhere' not found.\n");
  });

  it("survives any character but NUL", async () => {
    const { vm } = pool.xapi.addVm({ name: "before" });
    const { status } = await xe(`vm-param-set uuid=${vm.uuid} name-label=$'ü\\t\\x01 "%s" \\\\ $(x)'`);
    expect(status).toBe(0);
    expect(vm.nameLabel).toBe('ü\t\x01 "%s" \\ $(x)');
  });
});

describe("the log of calls", () => {
  it("has every call with its host, words and status", async () => {
    await xe("host-list --minimal");
    expect(pool.xapi.calls.at(-1)).toMatchObject({
      hostUuid: pool.coordinator.uuid,
      command: "host-list",
      args: ["--minimal"],
      status: 0,
    });
  });
});

describe("param commands", () => {
  it("read and change fields, maps and sets", async () => {
    const { uuid } = pool.coordinator;
    await xe(`host-param-set uuid=${uuid} other-config:a=1 other-config:b=2`);
    expect((await xe(`host-param-get uuid=${uuid} param-name=other-config`)).stdout).toBe("a: 1; b: 2\n");
    expect((await xe(`host-param-get uuid=${uuid} param-name=other-config param-key=b`)).stdout).toBe("2\n");
    expect((await xe(`host-param-get uuid=${uuid} param-name=other-config param-key=c`)).stderr).toBe(
      "Error: Key c not found in map\n",
    );
    await xe(`host-param-add uuid=${uuid} param-name=tags param-key=red`);
    expect((await xe("host-list tags:contains=red --minimal")).stdout).toBe(`${uuid}\n`);
    expect((await xe("host-list other-config:a=1 --minimal")).stdout).toBe(`${uuid}\n`);
    await xe(`host-param-remove uuid=${uuid} param-name=other-config param-key=a`);
    await xe(`host-param-clear uuid=${uuid} param-name=tags`);
    expect(pool.xapi.hosts[0]).toMatchObject({ otherConfig: { b: "2" }, tags: [] });
    expect((await xe(`host-param-set uuid=${uuid} address=x`)).stderr).toBe(
      "Error: Field 'address' is read-only.\n",
    );
  });
});
