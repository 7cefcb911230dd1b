import { describe, expect, test } from "vitest";
import { findChecksum, parseChecksum } from "../../../provider/source/checksum";

const hex = (digit: string, length = 64) => digit.repeat(length);

describe("a checksum", () => {
  test("is read with its algorithm, in any case", () => {
    expect(parseChecksum(`sha256:${hex("A")}`)).toEqual({ algorithm: "sha256", hex: hex("a") });
    expect(parseChecksum(`SHA512:${hex("b", 128)}`)).toEqual({ algorithm: "sha512", hex: hex("b", 128) });
  });

  test.each([
    hex("a"),
    `sha256:${hex("a", 63)}`,
    `sha512:${hex("a")}`,
    `md5:${hex("a", 32)}`,
    `sha256:${hex("g")}`,
  ])("%s is none", (text) => {
    expect(parseChecksum(text)).toBeUndefined();
  });
});

describe("a list of checksums", () => {
  const found = { algorithm: "sha256", hex: hex("a") };

  test.each([
    ["GNU, as text", `${hex("b")}  other.iso\n${hex("a")}  image.iso\n`],
    ["GNU, as binary", `${hex("a")} *image.iso\n`],
    ["GNU, with a folder", `${hex("a")}  ./dist/image.iso\n`],
    ["GNU, with Windows line ends", `${hex("b")}  other.iso\r\n${hex("a")}  image.iso\r\n`],
    ["BSD", `SHA256 (other.iso) = ${hex("b")}\nSHA256 (image.iso) = ${hex("a")}\n`],
    ["openssl dgst", `SHA2-256(image.iso)= ${hex("a")}\n`],
    ["of one file without its name", `${hex("a")}\n`],
    [
      "signed, with comments",
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# image.iso: 1 bytes\nSHA256 (image.iso) = ${hex("a")}\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n`,
    ],
    ["upper case", `${hex("A")}  image.iso\n`],
    ["that has the file twice with the same value", `${hex("a")}  image.iso\n${hex("a")}  ./image.iso\n`],
  ])("%s", (_form, list) => {
    expect(findChecksum(list, "image.iso", "SHA256SUMS")).toEqual(found);
  });

  test("takes the longer of two algorithms", () => {
    const list = `SHA256 (image.iso) = ${hex("a")}\nSHA512 (image.iso) = ${hex("c", 128)}\n`;
    expect(findChecksum(list, "image.iso", "SUMS")).toEqual({ algorithm: "sha512", hex: hex("c", 128) });
  });

  test.each([
    ["without the file", `${hex("a")}  other.iso\n`, "has no line for image.iso"],
    ["that has another name for its end", `${hex("a")}  another-image.iso\n`, "has no line for image.iso"],
    ["with two values", `${hex("a")}  image.iso\n${hex("b")}  x/image.iso\n`, "has several checksums"],
    ["without names, of two files", `${hex("a")}\n${hex("b")}\n`, "has no line for image.iso"],
    ["that is a web page", "<!doctype html><title>Not here</title>", "has no line with a checksum"],
  ])("%s is refused", (_what, list, why) => {
    expect(() => findChecksum(list, "image.iso", "https://example.net/SHA256SUMS")).toThrow(why);
  });
});
