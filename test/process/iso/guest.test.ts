import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { afterAll, expect, test } from "vitest";
import { neonInit } from "../../../provider";
import { seedImage } from "../../seed-image";
import { bootGuest, guestSystem } from "./guest";
import { needs, sha256 } from "./readers";

const qemu = needs("qemu-system-x86_64");

const folder = mkdtempSync(join(tmpdir(), "xen-iso-guest-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** As neonKUBE's service does: finds the disc, mounts it, runs the script with the folder as its argument. */
const NEON_INIT_SERVICE = `
mkdir -p /media/neon-init
mount -t iso9660 -o ro "$(findfs LABEL=cidata)" /media/neon-init || echo "not mounted"
sh /media/neon-init/neon-init.sh /media/neon-init
umount /media/neon-init
`;

const SCRIPT = `#!/bin/bash\r
echo "neon-init runs from $1"
echo "Grüße aus $(cat "$1/Ordner ä/漢字.txt")"
sha256sum "$1/binary.bin" | cut -d ' ' -f 1
touch "$1/neon-init.sh" 2>/dev/null || echo "the disc is read-only"
`;

/** Joliet, as Windows sees the disc. */
const LIST_BY_JOLIET = `
mount -t iso9660 -o ro,norock,utf8 /dev/sr0 /media/neon-init
cd /media/neon-init && find . -type f | sort | while read -r path; do echo "Joliet: $path"; done
cd / && umount /media/neon-init
`;

test.skipIf(qemu.isMissing)(
  `a Linux guest mounts the disc by its label and runs its neon-init.sh: ${qemu.title}`,
  { timeout: 900_000 },
  async ({ skip }) => {
    const system = await guestSystem().catch((error: unknown) => String(error));
    if (typeof system === "string") return skip(`apt-get update, then again: ${system}`);

    const binary = Buffer.from(
      Array.from({ length: 3 * 1024 * 1024 + 1 }, (_, index) => (index * 31) & 0xff),
    );
    const image = await seedImage({
      "neon-init.sh": await textOf(neonInit(SCRIPT)["neon-init.sh"]),
      "Ordner ä/漢字.txt": "dem Ordner",
      "binary.bin": { base64: binary.toString("base64") },
    });
    const path = join(folder, "image.iso");
    writeFileSync(path, image);
    const console = await bootGuest(system, path, `${NEON_INIT_SERVICE}${LIST_BY_JOLIET}sha256sum /dev/sr0`);
    expect(console).toContain(`neon-init runs from /media/neon-init
Grüße aus dem Ordner
${sha256(binary)}
the disc is read-only
Joliet: ./Ordner ä/漢字.txt
Joliet: ./binary.bin
Joliet: ./neon-init.sh
${sha256(image)}  /dev/sr0
`);
  },
);

const textOf = (output: pulumi.Output<string>): Promise<string> =>
  new Promise((resolve) => void output.apply(resolve));
