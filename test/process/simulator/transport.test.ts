import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientChannel } from "ssh2";
import SftpClient from "ssh2-sftp-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isSshdAvailable, type SimulatedHost, type SimulatedPool, startPool } from "../../simulator";
import { Login, makeSr, runOn } from "./ssh";

describe.each(["embedded", "sshd"] as const)("a host reached by %s", (transport) => {
  if (transport === "sshd" && !isSshdAvailable()) {
    it.skip("needs an OpenSSH server and namespaces");
    return;
  }
  let pool: SimulatedPool;
  let login: Login;
  beforeAll(async () => {
    pool = await startPool({ transport, hosts: 2 });
    login = await Login.to(pool.coordinator);
  });
  afterAll(async () => {
    await login[Symbol.asyncDispose]();
    await pool[Symbol.asyncDispose]();
  });

  it("runs commands with their output, errors and exit status apart", async () => {
    expect(await login.run("echo out; echo err >&2; exit 7")).toEqual({
      status: 7,
      stdout: "out\n",
      stderr: "err\n",
    });
    expect((await login.run("kill -KILL $$")).status).toBeUndefined();
  });

  it("has places of its own, apart from other hosts and from this machine", async () => {
    const ran = await login.run(
      `sed -n "s/^INSTALLATION_UUID='\\(.*\\)'/\\1/p" /etc/xensource-inventory; cd '/var/run' && pwd -P; echo >/var/opt/mine`,
    );
    expect(ran.stdout).toBe(`${pool.coordinator.uuid}\n/run\n`);
    expect(existsSync(pool.coordinator.path("/var/opt/mine"))).toBe(true);
    expect(existsSync(pool.hosts[1]?.path("/var/opt/mine") ?? "")).toBe(false);
    expect(existsSync("/var/opt/mine")).toBe(false);
    expect((await login.run("cat /nowhere; cd /var/opt/none")).stderr).toContain(
      "/var/opt/none: No such file",
    );
  });

  it("shows its files to the test under their host's path, links and tmpfs included", async () => {
    await login.run("mkdir -p /var/run/sr-mount && echo text >/run/sr-mount/file");
    expect(readFileSync(pool.coordinator.path("/var/run/sr-mount/file"), "utf8")).toBe("text\n");
    writeFileSync(pool.coordinator.path("/run/sr-mount/other"), "");
    expect((await login.run("ls /var/run/sr-mount")).stdout).toBe("file\nother\n");
  });

  it("streams both ways, byte for byte", async () => {
    const sent = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef\n");
    const channel = await login.open("cat");
    const received: Buffer[] = [];
    channel.on("data", (chunk: Buffer) => received.push(chunk));
    channel.end(sent);
    await once(channel, "close");
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  it("says of its space and its memory what the test says", async () => {
    const { coordinator } = pool;
    coordinator.setSpace({ path: "/var/opt", totalBytes: 2 ** 30, availableBytes: 2 ** 28, type: "xfs" });
    coordinator.setMemory({ totalBytes: 2 ** 32, availableBytes: 2 ** 30 });
    const { stdout } = await login.run(
      "stat -f -c '%S %b %a %T' -- /var/opt; cd /run; stat -f -c '%S %b %a %T' .; grep MemAvailable /proc/meminfo",
    );
    expect(stdout.split("\n")).toEqual([
      "1024 1048576 262144 xfs",
      "1024 2097152 2097152 tmpfs",
      "MemAvailable:     1048576 kB",
      "",
    ]);
  });

  it("takes the password, and refuses another", async () => {
    const { password } = pool.coordinator.connection;
    if (password === undefined) return;
    await using byPassword = await Login.to(pool.coordinator, { password });
    expect((await byPassword.run("echo in")).stdout).toBe("in\n");
    await expect(Login.to(pool.coordinator, { password: "wrong" })).rejects.toThrow(/authentication/);
  });

  it("asks for the password by keyboard-interactive when told so", async () => {
    await using interactive = await startPool({ transport, passwordMethod: "keyboard-interactive" });
    const { password } = interactive.coordinator.connection;
    if (password === undefined) return;
    const connecting = Login.to(interactive.coordinator, { password, tryKeyboard: true });
    await using byPrompt = await connecting;
    expect((await byPrompt.run("echo in")).stdout).toBe("in\n");
  });

  it("has ten channels at most on a connection", async () => {
    await using own = await Login.to(pool.coordinator);
    const opened = await Promise.allSettled(Array.from({ length: 12 }, () => own.open("sleep 1")));
    expect(opened.filter(({ status }) => status === "rejected")).toHaveLength(2);
  });

  it("serves SFTP", async () => {
    const { host, port, user, privateKey } = pool.coordinator.connection;
    const sftp = new SftpClient();
    await sftp.connect({ host, port, username: user, privateKey });
    try {
      await sftp.mkdir("/var/opt/sftp/deep", true);
      await sftp.put(Buffer.from("content"), "/var/opt/sftp/deep/file", {
        writeStreamOptions: { mode: 0o600 },
      });
      await sftp.rename("/var/opt/sftp/deep/file", "/var/opt/sftp/file");
      const list = await sftp.list("/var/opt/sftp");
      expect(list.sort((a, b) => a.name.localeCompare(b.name))).toMatchObject([
        { name: "deep", type: "d" },
        { name: "file", type: "-", size: 7 },
      ]);
      expect(await sftp.get("/var/opt/sftp/file")).toEqual(Buffer.from("content"));
      expect(await sftp.exists("/var/opt/sftp/none")).toBe(false);
      await sftp.delete("/var/opt/sftp/file");
      await sftp.rmdir("/var/opt/sftp", true);
    } finally {
      await sftp.end();
    }
    expect(existsSync(pool.coordinator.path("/var/opt/sftp"))).toBe(false);
  });

  it("lets root's .bashrc speak before a command, and break an external SFTP", async () => {
    const bashrc = "echo Welcome\n";
    await using noisy = await startPool({ transport, bashrc });
    expect((await runOn(noisy.coordinator, "echo out")).stdout).toBe("Welcome\nout\n");
    const sftp = new SftpClient("test", {
      error: () => undefined,
      end: () => undefined,
      close: () => undefined,
    });
    const sftpTo = ({ connection: { host, port, user, privateKey } }: SimulatedHost) =>
      sftp.connect({ host, port, username: user, privateKey });
    await expect(sftpTo(noisy.coordinator)).rejects.toThrow();
    await sftp.end().catch(() => undefined);
    await using quiet = await startPool({ transport, bashrc, sftp: "internal" });
    await sftpTo(quiet.coordinator);
    expect(await sftp.exists("/etc/xensource-inventory")).toBe("-");
    await sftp.end();
  });

  it("lets a command run on when its client is gone, which looks like the end of its input", async () => {
    const own = await Login.to(pool.coordinator);
    const channel = await own.open("cat >/var/opt/short; echo went on $? >/var/opt/after");
    channel.write("half");
    await expect.poll(() => existsSync(pool.coordinator.path("/var/opt/short"))).toBe(true);
    await sleep(100);
    own.client.destroy();
    const after = pool.coordinator.path("/var/opt/after");
    await expect.poll(() => existsSync(after) && readFileSync(after, "utf8")).toBe("went on 0\n");
    expect(readFileSync(pool.coordinator.path("/var/opt/short"), "utf8")).toBe("half");
  });

  it("ignores a signal that a client asks for", async () => {
    await using own = await Login.to(pool.coordinator);
    const channel = await own.open("trap 'echo ended' TERM; sleep 0.5; echo slept");
    channel.signal("TERM");
    expect(String(await once(channel, "data"))).toBe("slept\n");
  });

  it("is a jump host to another one", async () => {
    const { host, port } = pool.hosts[1]?.connection ?? pool.coordinator.connection;
    const stream = await new Promise<ClientChannel>((resolve, reject) => {
      login.client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
        if (error) reject(error);
        else resolve(channel);
      });
    });
    const greeting = await once(stream, "data");
    stream.destroy();
    expect(String(greeting)).toMatch(/^SSH-2\.0-/);
  });

  it("counts commands and SFTP sessions", async () => {
    const before = pool.coordinator.sessions;
    await login.run("true");
    await login.run("sleep 0.1; true");
    const { host, port, user: username, privateKey } = pool.coordinator.connection;
    const sftp = new SftpClient();
    await sftp.connect({ host, port, username, privateKey });
    await sftp.list("/");
    await sftp.end();
    expect(pool.coordinator.sessions).toBe(before + 3);
  });

  it("counts its logins", async () => {
    const before = pool.coordinator.connections;
    await runOn(pool.coordinator, "true");
    expect(pool.coordinator.connections).toBe(before + 1);
  });

  it("can be without SSH for a while, and keeps its memory then", async () => {
    await using own = await startPool({ transport });
    const { coordinator } = own;
    await runOn(coordinator, "touch /run/kept");
    await coordinator.stopSshd();
    await expect(runOn(coordinator, "true")).rejects.toThrow(/ECONNREFUSED/);
    await coordinator.startSshd();
    expect((await runOn(coordinator, "ls /run/kept")).status).toBe(0);
  });

  it("loses its memory in a reboot, keeps its disk and its records, and plugs what it can", async () => {
    await using own = await startPool({ transport });
    const { coordinator, xapi } = own;
    const onDisk = await makeSr(coordinator, "a.iso", "/var/opt/xen-iso/a");
    const inMemory = await makeSr(coordinator, "b.iso", "/var/run/sr-mount/b");
    const { vm } = xapi.addVm({ name: "web", powerState: "running" });
    await coordinator.reboot();
    expect(vm.powerState).toBe("halted");
    const attached = (uuid: string) => xapi.pbds.find((pbd) => pbd.uuid === uuid)?.currentlyAttached;
    expect([attached(onDisk.pbd), attached(inMemory.pbd)]).toEqual([true, false]);
    const ran = await runOn(
      coordinator,
      `ls /var/opt/xen-iso/a; ls /var/run; xe pbd-plug uuid=${inMemory.pbd}`,
    );
    expect(ran.stdout).toMatch(/^a\.iso\n/);
    expect(ran.stdout).not.toContain("sr-mount");
    expect(ran.stderr).toBe("Error code: SR_BACKEND_FAILURE_226\nError parameters: , Invalid local path, \n");
  });
});
