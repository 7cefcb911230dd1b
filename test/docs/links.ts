/**
 * `npm run check:links`: asks for each page on the web to which README, `docs/` and the examples link. It needs the
 * internet, so no gate runs it.
 */
import { readPages } from "./pages";

async function main(): Promise<void> {
  const links = (await readPages()).flatMap(({ links }) => links);
  const onWeb = links.filter(({ target }) => target.startsWith("https:"));
  for (const { place, target } of onWeb) {
    const problem = await problemOf(target).catch(String);
    if (problem !== undefined) console.error(`${place}: ${target}: ${problem}`);
    if (problem !== undefined) process.exitCode = 1;
  }
  console.log(`${onWeb.length} links were followed`);
}

async function problemOf(url: string): Promise<string | undefined> {
  const { ok, status, body } = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  await body?.cancel();
  return ok ? undefined : `status ${status}`;
}

void main();
