import { nearestName } from "../text/nearest-name";
import { checkConnection, checkHostConnections, isIgnoringHostKey } from "./connection";
import { rememberCredentials } from "./credentials";
import type { Problems } from "./problems";
import { checkLogin } from "./ssh-target";
import { isUnknown } from "./unknown";
import { checkDeleteUnreachable } from "./unreachable";
import { warnOnce } from "./warn-once";

/** Arguments by name, as a program gave them. */
export type Arguments = Readonly<Record<string, unknown>>;

/**
 * Returns what is wrong with the value of an argument, `undefined` if nothing is. A rule that can find several
 * problems adds them to `problems`. It is never called for a value that is not known yet as a whole.
 */
export type Rule = (value: unknown, args: Arguments, problems: Problems) => string | undefined;

/** The arguments of a resource or function: defines their names and their checks. */
export interface ArgumentTable<Name extends string = string> {
  /** In the order in which problems are reported. */
  readonly rules: Readonly<Record<Name, Rule>>;
  /** Values that `check` added to the old inputs; `ignoreChanges` copies them into the new ones. */
  readonly added?: readonly string[];
}

/** Added by the class and the engine: the resource's URN, its stack's organization, the serialised provider. */
const ALWAYS_THERE = ["owner", "organization", "__provider"];

/**
 * Checks all arguments that are known; without the network.
 *
 * @returns the arguments without those that are `null`
 */
export function checkArguments(
  given: Arguments,
  { rules, added = [] }: ArgumentTable,
  problems: Problems,
): Record<string, unknown> {
  const args = withoutNull(given) as Record<string, unknown>;
  const names = Object.keys(rules);
  for (const name of Object.keys(args))
    if (![...names, ...added, ...ALWAYS_THERE].includes(name))
      problems.add(name, `is not an argument; ${nearestName(name, names)}`);

  for (const [name, rule] of Object.entries(rules)) {
    const problem = isUnknown(args[name]) ? undefined : rule(args[name], args, problems);
    if (problem) problems.add(name, problem);
  }
  checkDeleteUnreachable(problems);
  return args;
}

/** Called when no argument has a problem: unless there is no way to log in, its credentials are now the newest. */
export async function acceptConnection({ connection, owner }: Arguments, problems: Problems): Promise<void> {
  await checkLogin(connection, problems);
  if (problems.failures.length > 0) return;
  rememberCredentials(connection);
  if (isIgnoringHostKey(connection))
    await warnOnce(
      owner,
      "The host key is not checked (hostKey: ignore): anybody between you and the host gets the credentials.",
    );
}

/** An output that turns out to be `undefined` arrives as `null` if it is a secret: both mean "not given". */
function withoutNull(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNull(item)]));
}

/** @param remedy what to set the argument to */
const required =
  (rule: Rule, remedy: string): Rule =>
  (value, args, problems) =>
    value === undefined ? `is missing; ${remedy}` : rule(value, args, problems);

export const optional =
  (rule: Rule): Rule =>
  (value, args, problems) =>
    value === undefined ? undefined : rule(value, args, problems);

/** @param rule for a value that is a non-empty string */
export const optionalText = (rule: (value: string, args: Arguments) => string | undefined): Rule =>
  optional((value, args) =>
    typeof value === "string" && value !== "" ? rule(value, args) : "must be a non-empty string",
  );

export const optionalBoolean: Rule = optional((value) =>
  typeof value === "boolean" ? undefined : "must be true or false",
);

/** A UUID in the form that `xe` prints and xapi compares. */
export const requiredUuid: Rule = required(
  (value) =>
    typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
      ? undefined
      : "must be a UUID as xe prints it: 8-4-4-4-12 lower-case hexadecimal digits",
  "set it to a UUID as xe prints it",
);

export const hostConnections: Rule = optional((value, _args, problems) => {
  checkHostConnections(value, problems);
  return undefined;
});

export const connection: Rule = (value, _args, problems) => {
  checkConnection(value, problems);
  return undefined;
};
