import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Proxy, type SimulatedPool, startPool } from "../../simulator";
import { Login } from "./ssh";

describe("a proxy in front of a host", () => {
  let pool: SimulatedPool;
  beforeAll(async () => {
    pool = await startPool({ transport: "embedded" });
  });
  afterAll(() => pool[Symbol.asyncDispose]());
  const through = ({ host, port }: Proxy) => Login.to(pool.coordinator, { host, port, readyTimeout: 500 });

  it("forwards, and counts what it forwards", async () => {
    await using proxy = await Proxy.start(pool.coordinator.connection);
    await using login = await through(proxy);
    expect((await login.run("cat", "x".repeat(100_000))).stdout).toHaveLength(100_000);
    expect(proxy.connections).toHaveLength(1);
    expect(proxy.connections[0]?.bytesFromClient).toBeGreaterThan(100_000);
    expect(proxy.connections[0]?.bytesFromServer).toBeGreaterThan(100_000);
  });

  it("delays each way, and keeps the order", async () => {
    await using proxy = await Proxy.start(pool.coordinator.connection);
    await using login = await through(proxy);
    proxy.faults.delayMs = 50;
    const startedAt = Date.now();
    const text = Array.from({ length: 50_000 }, (_, index) => `${index}\n`).join("");
    const running = login.run("cat", text);
    setTimeout(() => (proxy.faults.delayMs = 0), 150);
    expect((await running).stdout).toBe(text);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(100);
  });

  it("lets no more than so many bytes a second pass", async () => {
    await using proxy = await Proxy.start(pool.coordinator.connection);
    await using login = await through(proxy);
    proxy.faults.bytesPerSecond = 500_000;
    const startedAt = Date.now();
    expect((await login.run("wc -c", "x".repeat(250_000))).stdout.trim()).toBe("250000");
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(450);
  });

  it("drops a connection after so many bytes", async () => {
    await using proxy = await Proxy.start(pool.coordinator.connection, { dropAfterBytes: 500_000 });
    const login = await through(proxy);
    const channel = await login.open("cat >/dev/null");
    const closed = new Promise<void>((resolve) => login.client.once("close", () => resolve()));
    channel.on("error", () => undefined).write(Buffer.alloc(1_000_000));
    await closed;
    expect(proxy.connections[0]?.bytesFromClient).toBeGreaterThanOrEqual(500_000);
  });

  it("accepts and says nothing", async () => {
    await using proxy = await Proxy.start(pool.coordinator.connection, { stallAfterBytes: 0 });
    await expect(through(proxy)).rejects.toThrow(/Timed out/);
  });

  it("refuses the first connections", async () => {
    await using proxy = await Proxy.start(pool.coordinator.connection, { refuseConnections: 1 });
    await expect(through(proxy)).rejects.toThrow();
    await using login = await through(proxy);
    expect((await login.run("echo in")).stdout).toBe("in\n");
    expect(proxy.connections.map(({ wasRefused }) => wasRefused)).toEqual([true, false]);
  });
});
