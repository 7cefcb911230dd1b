import { expect, test } from "vitest";
import { algorithmConflict, offeredAlgorithms } from "../../../provider/ssh/algorithms";
import type { Algorithms } from "../../../provider/ssh/server-hello";

const theirs: Algorithms = {
  kex: ["curve25519-sha256", "kex-strict-s-v00@openssh.com"],
  hostKey: ["ssh-ed25519"],
  cipher: ["aes256-ctr"],
  mac: ["hmac-sha2-256"],
};
const hostKeys = ["ssh-ed25519"];

test("offers what this Node has, AES-GCM first", () => {
  const { cipher, kex, hmac } = offeredAlgorithms();
  expect(cipher[0]).toBe("aes128-gcm@openssh.com");
  expect(kex).toContain("ecdh-sha2-nistp256");
  expect(hmac).toContain("hmac-sha2-256");
});

test("finds no conflict with a server that shares one of each kind", () => {
  expect(algorithmConflict(theirs, hostKeys)).toBeUndefined();
});

test.each([
  [
    { kex: ["sntrup", "kex-strict-s-v00@openssh.com"] },
    "no key exchange algorithm in common",
    "KexAlgorithms",
  ],
  [{ hostKey: ["ssh-dss"] }, "no host key algorithm in common", "HostKeyAlgorithms"],
  [{ cipher: ["3des-cbc"] }, "no cipher in common", "Ciphers"],
  [{ mac: ["hmac-md5"] }, "no MAC in common", "MACs"],
])("names what both sides offer where the server has only %j", (more, what, option) => {
  const message = algorithmConflict({ ...theirs, ...more }, hostKeys);
  expect(message).toContain(what);
  expect(message).toContain(`in ${option} of the host's sshd_config`);
  expect(message).toContain(`(The host offers: ${Object.values(more)[0]?.[0]})`);
});

test("AES-GCM needs no common MAC", () => {
  const gcm = { ...theirs, cipher: ["aes128-gcm@openssh.com"], mac: ["hmac-md5"] };
  expect(algorithmConflict(gcm, hostKeys)).toBeUndefined();
});
