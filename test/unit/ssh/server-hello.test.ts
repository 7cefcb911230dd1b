import { expect, test } from "vitest";
import { ServerHello } from "../../../provider/ssh/server-hello";

/** RFC 4253 §7.1: a packet with the lists of a key exchange. */
function keyExchange(...lists: string[]): Buffer {
  const field = (text: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    return Buffer.concat([length, Buffer.from(text)]);
  };
  const payload = Buffer.concat([Buffer.from([20]), Buffer.alloc(16), ...lists.map(field), Buffer.alloc(5)]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + 1);
  return Buffer.concat([head, payload]);
}

const LISTS = [
  "kex1,kex2",
  "ssh-ed25519",
  "aes128-ctr",
  "aes256-ctr",
  "hmac1",
  "hmac2",
  "none",
  "none",
  "",
  "",
];

function hello(bytes: Buffer, chunkBytes: number): ServerHello {
  const server = new ServerHello();
  for (let at = 0; at < bytes.length; at += chunkBytes) server.add(bytes.subarray(at, at + chunkBytes));
  return server;
}

test.each([1, 7, 10_000])("reads banner, version and algorithms that come in chunks of %i bytes", (bytes) => {
  const banner = Buffer.from("Authorised users only\r\nSSH-2.0-OpenSSH_7.4\r\n");
  const server = hello(Buffer.concat([banner, keyExchange(...LISTS)]), bytes);
  expect(server.isSilent).toBe(false);
  expect(server.version).toBe("SSH-2.0-OpenSSH_7.4");
  expect(server.algorithms).toEqual({
    kex: ["kex1", "kex2"],
    hostKey: ["ssh-ed25519"],
    cipher: ["aes128-ctr"],
    mac: ["hmac1"],
  });
});

test("knows no algorithms before the packet is complete", () => {
  const bytes = Buffer.concat([Buffer.from("SSH-2.0-x\n"), keyExchange(...LISTS)]);
  expect(hello(bytes.subarray(0, -1), 100).algorithms).toBeUndefined();
  expect(new ServerHello().isSilent).toBe(true);
});

test("knows no algorithms where a list claims to be longer than its packet", () => {
  const packet = keyExchange("kex1", "ssh-ed25519");
  packet.writeUInt32BE(0x7fffffff, 22);
  const server = hello(Buffer.concat([Buffer.from("SSH-2.0-x\n"), packet]), 100);
  expect(server.algorithms).toBeUndefined();
});

test("shows the first line of something else, without control characters", () => {
  const server = hello(Buffer.from("Exceeded \x1b[2JMaxStartups\r\nx"), 100);
  expect(server.version).toBeUndefined();
  expect(server.otherText).toBe("Exceeded ?[2JMaxStartups");
});
