import { expect, test } from "vitest";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";
import { decode, encode, hasSecret, union } from "../../../provider/plugin/values";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const secret = (value: unknown) => ({ [SIGNATURE]: "1b47061264138c4ac30d75fd1eb44270", value });
const asset = (content: object) => ({ [SIGNATURE]: "c44067f5952c0a294b673a41bacd8c17", ...content });

test("secrets are taken out of their wrapping and wrapped again at the same places", () => {
  const sent = {
    srName: "web",
    connection: { host: "xen1", password: secret("swordfish") },
    files: secret({ "user-data": "#cloud-config", list: [1, secret("two")] }),
  };
  const { values, secrets } = decode(sent);
  expect(values).toEqual({
    srName: "web",
    connection: { host: "xen1", password: "swordfish" },
    files: { "user-data": "#cloud-config", list: [1, "two"] },
  });
  expect(encode(values, secrets)).toEqual(sent);
  expect(hasSecret(secrets)).toBe(true);
});

test("a value that is missing from the result needs no wrapping", () => {
  const { secrets } = decode({ a: secret("x"), b: { c: secret("y") } });
  expect(encode({ other: 1 }, secrets)).toEqual({ other: 1 });
});

test("a value that was secret, or is now, stays secret", () => {
  const marks = union(decode({ a: secret(1), b: 2 }).secrets, decode({ a: 1, b: secret(2) }).secrets);
  expect(encode({ a: 1, b: 2 }, marks)).toEqual({ a: secret(1), b: secret(2) });
});

test("unknown values of every type are the one that check knows", () => {
  const number = "3eeb2bf0-c639-47a8-9e75-3b44932eb421";
  expect(decode({ a: number, b: { c: secret(UNKNOWN) } }).values).toEqual({ a: UNKNOWN, b: { c: UNKNOWN } });
});

test("assets become text and paths, and null is left out", () => {
  const files = { a: asset({ text: "hello" }), b: asset({ path: "b.txt" }), c: null };
  expect(decode({ files }).values).toEqual({ files: { a: "hello", b: { path: "b.txt" } } });
  const hash = "a".repeat(64);
  const remote = { c: asset({ uri: "https://example.net/c", hash }), d: asset({ uri: "file:///srv/d" }) };
  const fromUrls = { c: { url: "https://example.net/c", checksum: `sha256:${hash}` }, d: { path: "/srv/d" } };
  expect(decode({ files: remote }).values).toEqual({ files: fromUrls });
});
