import { checkConnection, isIgnoringHostKey } from "./connection";
import { rememberCredentials } from "./credentials";
import { warn } from "./engine-log";
import type { Problems } from "./problems";
import { isUnknown } from "./unknown";
import { checkDeleteUnreachable } from "./unreachable";

/** What the class and the engine put beside the arguments: the resource's URN, the serialised provider. */
const ALWAYS_THERE = ["owner", "__provider"];

/** Tells of each argument that there is none of that name. */
export function refuseUnknownArguments(
  news: Record<string, unknown>,
  {
    className,
    names,
    others = [],
  }: { className: string; names: readonly string[]; others?: readonly string[] },
  problems: Problems,
): void {
  for (const name of Object.keys(news))
    if (![...names, ...others, ...ALWAYS_THERE].includes(name))
      problems.add(name, `is no argument of ${className}; there are ${names.join(", ")}`);
}

/** A UUID as `xe` prints it, which is how xapi compares it. */
export function checkUuid(news: Record<string, unknown>, name: string, problems: Problems): void {
  const value = news[name];
  if (isUnknown(value)) return;
  if (value === undefined) problems.add(name, "is missing; set it to a UUID as xe prints it");
  else if (typeof value !== "string" || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value))
    problems.add(name, "takes a UUID as xe prints it: 8-4-4-4-12 hexadecimal digits in lower case");
}

export function checkBoolean(news: Record<string, unknown>, name: string, problems: Problems): void {
  const value = news[name];
  if (value !== undefined && !isUnknown(value) && typeof value !== "boolean")
    problems.add(name, "takes true or false");
}

/** The connection, last of the arguments: where all of them are right, its credentials are the newest. */
export async function checkHost(news: Record<string, unknown>, problems: Problems): Promise<void> {
  const { connection, owner } = news;
  checkConnection(connection, problems);
  checkDeleteUnreachable(problems);
  if (problems.failures.length > 0) return;
  rememberCredentials(connection);
  if (isIgnoringHostKey(connection))
    await warn(
      owner,
      "The host key is not checked (hostKey: ignore): whoever is in between gets the credentials.",
    );
}
