import { expect, test } from "vitest";
import schema from "../../../provider/plugin/schema.json";
import { secretsOf } from "../../../provider/plugin/schema";
import { encode } from "../../../provider/plugin/values";
import { generateSchema } from "../../plugin/schema";

test("the schema is the one that the TypeScript types make: run `npm run schema` if not", () => {
  expect(schema).toEqual(JSON.parse(JSON.stringify(generateSchema())));
});

test("every argument, type and resource has a description", () => {
  const { resources, types } = schema;
  const inputs = Object.values(resources).flatMap(({ inputProperties }) => Object.values(inputProperties));
  for (const each of [...inputs, ...Object.values(resources), ...Object.values(types)])
    expect(each.description).toMatch(/\w/);
});

test("credentials are secret however they were given, those of a jump host too", () => {
  const connection = { host: "xen1", password: "a", proxy: { host: "jump", privateKey: "b" } };
  const wrapped = JSON.stringify(encode({ connection }, secretsOf("xen:index:TempIso", { connection })));
  expect(wrapped.match(/1b47061264138c4ac30d75fd1eb44270/g)).toHaveLength(2);
});
