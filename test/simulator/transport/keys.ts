import { utils } from "ssh2";

/** A fresh key pair, both in OpenSSH form. */
export interface KeyPair {
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
}

export function generateKeyPair(): KeyPair {
  const { private: privateKey, public: publicKey } = utils.generateKeyPairSync("ed25519");
  // The generator drops leading zeros of a key now and then; what it made is then no key.
  if (utils.parseKey(privateKey) instanceof Error || utils.parseKey(publicKey) instanceof Error)
    return generateKeyPair();
  return { privateKey, publicKey };
}
