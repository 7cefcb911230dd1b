import { expect, test } from "vitest";
import { printable } from "../../../provider/ssh/printable";

test("a text of several lines becomes one, without control characters", () => {
  expect(printable("\r\nno\r\nlogins \x1b[2Jnow\n")).toBe("no logins  [2Jnow");
});

test("a long text is cut", () => {
  expect(printable("x".repeat(1_000))).toHaveLength(300);
  expect(printable("x".repeat(1_000), 80)).toHaveLength(80);
});
