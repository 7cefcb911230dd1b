import { warn } from "./engine-log";

const shown = new Set<string>();

/**
 * Shows a warning about arguments once in this process: the engine checks a resource again before it replaces
 * it, and in the up after a preview.
 */
export async function warnOnce(urn: unknown, message: string): Promise<void> {
  const key = JSON.stringify([urn, message]);
  if (shown.has(key)) return;
  shown.add(key);
  await warn(urn, message);
}
