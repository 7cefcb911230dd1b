import { expect, test } from "vitest";
import {
  type ArgumentTable,
  checkArguments,
  optional,
  optionalBoolean,
  optionalText,
  requiredUuid,
} from "../../../provider/lifecycle/arguments";
import { Problems } from "../../../provider/lifecycle/problems";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";

const TABLE: ArgumentTable = {
  rules: {
    uuid: requiredUuid,
    label: optionalText((value, { other }) => (value === other ? "equals other" : undefined)),
    other: optional(() => undefined),
    once: optionalBoolean,
    many: optional((_value, _args, problems) => {
      problems.add("many[0]", "is bad");
      problems.add("many.field", "is bad");
      return undefined;
    }),
  },
  added: ["digest"],
};

const uuid = "7b84f233-8aa3-468d-b254-fd585194da21";

function reasons(given: Record<string, unknown>): string[] {
  const problems = new Problems();
  checkArguments({ uuid, ...given }, TABLE, problems);
  return problems.failures.map(({ reason }) => reason);
}

test.each<[string, Record<string, unknown>, string[]]>([
  ["a missing argument", { uuid: undefined }, ["uuid: is missing; set it to a UUID as xe prints it"]],
  ["a name close to an argument's", { lable: 1 }, ["lable: is not an argument; did you mean label?"]],
  ["any other name", { x: 1 }, ["x: is not an argument; expected one of uuid, label, other, once, many"]],
  ["an empty text", { label: "" }, ["label: must be a non-empty string"]],
  ["a number in place of a text", { label: 1 }, ["label: must be a non-empty string"]],
  ["a text in place of a boolean", { once: "true" }, ["once: must be true or false"]],
  ["what only two arguments together make wrong", { label: "a", other: "a" }, ["label: equals other"]],
  ["several problems of one argument", { many: [] }, ["many[0]: is bad", "many.field: is bad"]],
])("refuses %s", (_title, given, expected) => {
  expect(reasons(given)).toEqual(expected);
});

test("takes what class, engine and earlier checks add", () => {
  expect(reasons({ owner: "urn", __provider: "exports", digest: "aa" })).toEqual([]);
});

test("leaves values that are not known yet", () => {
  expect(reasons({ uuid: UNKNOWN, label: UNKNOWN, once: UNKNOWN, many: UNKNOWN })).toEqual([]);
});

test("takes null for a value that is not given, at any depth", () => {
  const problems = new Problems();
  const args = checkArguments({ uuid, once: null, other: { a: null, b: [null] } }, TABLE, problems);
  expect(problems.failures).toEqual([]);
  expect(args).toEqual({ uuid, other: { b: [null] } });
  expect(Object.keys(args)).toEqual(["uuid", "other"]);
});
