import { rmSync } from "node:fs";
import { randomImage, sizeName, sparseImage } from "../images";
import { interleave, timingOf } from "../measure";
import { type Plan, SMALL_BYTES } from "../plan";
import type { Findings } from "../result";
import { Site } from "../site";

const FASTEST_CIPHER = "aes128-gcm@openssh.com";

/** One large image over loopback: by this package, by scp with two ciphers, by the port of the reference. */
export async function oneImage(plan: Plan, folder: string): Promise<Findings> {
  await using site = await Site.start();
  const image = randomImage(folder, plan.imageBytes);
  const part = sparseImage(folder, "reference", plan.referenceBytes);
  const small = sparseImage(folder, "small", SMALL_BYTES);
  const inputs = await site.inputsFor([image]);
  const { create, scp, scpGcm, ...reference } = await interleave(plan.rounds, {
    create: () => site.timeCreate(inputs),
    scp: () => site.timeScp(image),
    scpGcm: () => site.timeScp(image, { cipher: FASTEST_CIPHER }),
    part: () => site.timeReference(part),
    small: () => site.timeReference(small),
  });
  rmSync(image);

  const { cipher, fastest } =
    scp.medianMs < scpGcm.medianMs
      ? { cipher: "its default cipher", fastest: scp }
      : { cipher: "aes128-gcm", fastest: scpGcm };
  const msPerByte =
    (reference.part.medianMs - reference.small.medianMs) / (plan.referenceBytes - SMALL_BYTES);
  const referenceMs = reference.small.medianMs + msPerByte * (plan.imageBytes - SMALL_BYTES);
  const size = sizeName(plan.imageBytes);
  return {
    rows: [
      {
        what: `one image of ${size}, loopback`,
        against: "scp, the faster of its default cipher and aes128-gcm",
        value: fastest.medianMs / create.medianMs,
        unit: "times as fast",
        target: { atLeast: 1 },
        timings: { create, "scp, default cipher": scp, "scp, aes128-gcm": scpGcm },
        note: `the faster was ${cipher}`,
      },
      {
        what: `one image of ${size}, loopback`,
        against: "a port of the reference (ssh2-sftp-client put)",
        value: referenceMs / create.medianMs,
        unit: "times as fast",
        target: { atLeast: 50 },
        timings: {
          create,
          [`port, ${sizeName(plan.referenceBytes)}`]: reference.part,
          [`port, ${sizeName(SMALL_BYTES)}`]: reference.small,
          [`port, ${size}`]: timingOf([referenceMs]),
        },
        note: `the port's time for ${size} is reckoned from ${sizeName(SMALL_BYTES)} and ${sizeName(plan.referenceBytes)}`,
      },
    ],
  };
}
