// Preloaded: takes from Node.js's crypto what OpenSSL's FIPS provider does not have.
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";

const { getCiphers, getHashes, createCipheriv, createDecipheriv, generateKeyPairSync, sign, verify } = crypto;
const isApproved = (cipher) => /^(id-)?aes-?\d+-(gcm|ctr|cbc|ecb|ccm)$/i.test(cipher);
const unsupported = () => Object.assign(new Error("unsupported"), { code: "ERR_OSSL_EVP_UNSUPPORTED" });

/** Refuses what the check finds in the arguments. */
const unless = (isRefused, run) =>
  function (...args) {
    if (isRefused(...args)) throw unsupported();
    return Reflect.apply(run, this, args);
  };
/** Only Ed25519 and Ed448 have the hash built in. */
const isEdwards = (hash) => hash === null || hash === undefined;

crypto.getCiphers = () => getCiphers().filter(isApproved);
crypto.getHashes = () => getHashes().filter((name) => !/md5|ripemd|blake|sm3/i.test(name));
crypto.createCipheriv = unless((name) => !isApproved(name), createCipheriv);
crypto.createDecipheriv = unless((name) => !isApproved(name), createDecipheriv);
crypto.generateKeyPairSync = unless((type) => /25519|448/.test(type), generateKeyPairSync);
crypto.sign = unless(isEdwards, sign);
crypto.verify = unless(isEdwards, verify);
syncBuiltinESMExports();
