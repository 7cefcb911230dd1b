import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SendWindow, STALL_TIMEOUT_MS } from "../../../provider/ssh/send-window";

const KIB = 1024;

describe("SendWindow", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A link that answers as it is told. */
  function link() {
    const lost = new AbortController();
    const answers: (() => void)[] = [];
    const window = new SendWindow({
      ping: (onAnswer) => answers.push(onAnswer),
      lost: lost.signal,
      onStalled: () => lost.abort(new Error("The link is lost.")),
    });
    let arrivedBytes = 0;
    let onWayBytes = 0;
    /** Sends as much as there is room for now. */
    const fill = async () => {
      for (;;) {
        let bytes = 0;
        void window.room(1_000 * KIB).then(
          (room) => (bytes = room),
          () => undefined,
        );
        await vi.advanceTimersByTimeAsync(0);
        if (bytes === 0) return;
        onWayBytes += bytes;
        window.sent(bytes, () => {
          arrivedBytes += bytes;
          onWayBytes -= bytes;
        });
      }
    };
    const answer = () => answers.splice(0).forEach((each) => each());
    return { window, fill, answer, bytes: () => ({ arrivedBytes, onWayBytes }) };
  }

  it("sends 64 KiB before anything has arrived", async () => {
    const { fill, bytes } = link();
    await fill();
    expect(bytes()).toEqual({ arrivedBytes: 0, onWayBytes: 64 * KIB });
  });

  it("has no more on the way than what arrived within two seconds and 64 KiB", async () => {
    const { fill, answer, bytes, window } = link();
    await fill();
    answer();
    // The room that is asked for in vain waits.
    await vi.advanceTimersByTimeAsync(0);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(await window.room(1_000 * KIB)).toBeLessThanOrEqual(16 * KIB);
    expect(bytes().arrivedBytes).toBe(64 * KIB);
  });

  it("starts fast on a link whose first answers come soon", async () => {
    const { fill, answer, bytes } = link();
    await fill();
    await vi.advanceTimersByTimeAsync(50);
    answer();
    await fill();
    expect(bytes().onWayBytes).toBeGreaterThan(3 * 64 * KIB);
    expect(bytes().onWayBytes).toBeLessThanOrEqual((64 + 4 * 64) * KIB);
  });

  it("asks for an answer after pieces that are small on a slow link, and larger on a fast one", async () => {
    const { window } = link();
    const first = await window.room(1_000 * KIB);
    expect(first).toBe(16 * KIB);

    const fast = new SendWindow({
      ping: (onAnswer) => onAnswer(),
      lost: new AbortController().signal,
      onStalled: () => undefined,
    });
    let bytes = 0;
    for (let round = 0; round < 100; round++) {
      bytes = await fast.room(1_000 * KIB);
      fast.sent(bytes, () => undefined);
    }
    expect(bytes).toBe(256 * KIB);
  });

  it("reports the bytes as arrived once the host has answered, and no earlier", async () => {
    const { fill, answer, bytes } = link();
    await fill();
    expect(bytes().arrivedBytes).toBe(0);
    answer();
    expect(bytes().arrivedBytes).toBe(64 * KIB);
  });

  it("gives up a link over which nothing arrives for a minute", async () => {
    const { fill, window } = link();
    await fill();
    const waiting = expect(window.room(1)).rejects.toThrow("The link is lost.");
    await vi.advanceTimersByTimeAsync(STALL_TIMEOUT_MS + 1);
    await waiting;
  });

  it("keeps a link over which a little arrives", async () => {
    const { window } = link();
    const answers: (() => void)[] = [];
    const slow = new SendWindow({
      ping: (onAnswer) => answers.push(onAnswer),
      lost: new AbortController().signal,
      onStalled: () => expect.unreachable("A piece has arrived within the minute."),
    });
    for (let sent = 0; sent < 64 * KIB;) {
      const bytes = await slow.room(16 * KIB);
      sent += bytes;
      slow.sent(bytes, () => undefined);
    }
    for (let round = 0; round < 4; round++) {
      const room = slow.room(16 * KIB);
      await vi.advanceTimersByTimeAsync(STALL_TIMEOUT_MS - 1_000);
      answers.shift()?.();
      slow.sent(await room, () => undefined);
    }
    expect(await window.room(1)).toBe(1);
  });
});
