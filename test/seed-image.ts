import { buildIso, type BuildIsoOptions, type IsoFiles } from "../provider";

/** An image with these files, labelled as cloud-init's NoCloud wants it if nothing else is said, whole in memory. */
export async function seedImage(
  files: IsoFiles = { "user-data": "#cloud-config\n" },
  options?: BuildIsoOptions,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of buildIso(files, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
