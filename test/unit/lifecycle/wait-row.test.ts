import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { QUIET_WAIT_MS, WaitRow } from "../../../provider/lifecycle/wait-row";

describe("WaitRow", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const login = { what: "a login to xen1:22", atMost: "10 tries of 15 s" };
  const scan = { what: "xen1:22 to run xe sr-scan", atMost: "10 min" };

  function row() {
    const texts: string[] = [];
    return { texts, waits: new WaitRow((text) => texts.push(text)) };
  }

  it("says after five seconds what a wait is for and how long it may take, once", () => {
    const { texts, waits } = row();
    waits.begin(login);
    vi.advanceTimersByTime(QUIET_WAIT_MS - 1);
    expect(texts).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(texts).toEqual(["waiting for a login to xen1:22, at most 10 tries of 15 s"]);
  });

  it("says nothing of short waits, nor of those that are over", () => {
    const { texts, waits } = row();
    waits.begin(login);
    vi.advanceTimersByTime(QUIET_WAIT_MS - 1);
    waits.end(login);
    waits.begin(scan);
    waits.endAll();
    vi.advanceTimersByTime(60_000);
    expect(texts).toEqual([]);
  });

  it("says nothing while an upload moves, and speaks once it stands still", () => {
    const { texts, waits } = row();
    waits.begin(scan);
    for (let second = 0; second < 20; second++) {
      vi.advanceTimersByTime(1_000);
      waits.moved();
    }
    expect(texts).toEqual([]);
    vi.advanceTimersByTime(QUIET_WAIT_MS);
    expect(texts).toHaveLength(1);
  });

  it("keeps a host's control characters from the terminal", () => {
    const { texts, waits } = row();
    waits.begin({ what: "VM \u001b[2Jweb", atMost: "1 min" });
    vi.advanceTimersByTime(QUIET_WAIT_MS);
    expect(texts).toEqual(["waiting for VM  [2Jweb, at most 1 min"]);
  });
});
