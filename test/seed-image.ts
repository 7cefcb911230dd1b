import { buildIso, type IsoFiles } from "../provider";

/** An image with these files, labelled as cloud-init's NoCloud wants it, whole in memory. */
export async function seedImage(files: IsoFiles = { "user-data": "#cloud-config\n" }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of buildIso(files)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
