import type { DiffResult } from "@pulumi/pulumi/dynamic";
import { expect, test } from "vitest";
import { isoAttachment, isoRelease, tempIso } from "../../../provider/lifecycle/provider";
import schema from "../../../provider/plugin/schema.json";
import { secretsOf } from "../../../provider/plugin/schema";
import { encode } from "../../../provider/plugin/values";
import { generateSchema } from "../../plugin/schema";

const TempIso = schema.resources["xen:index:TempIso"];
const IsoAttachment = schema.resources["xen:index:IsoAttachment"];
const IsoRelease = schema.resources["xen:index:IsoRelease"];

test("the schema is the one that the TypeScript types make: run `npm run schema` if not", () => {
  expect(schema).toEqual(JSON.parse(JSON.stringify(generateSchema())));
});

test("every argument, type and resource has a description", () => {
  const { resources, types } = schema;
  const inputs = Object.values(resources).flatMap(({ inputProperties }) => Object.values(inputProperties));
  for (const each of [...inputs, ...Object.values(resources), ...Object.values(types)])
    expect(each.description).toMatch(/\w/);
});

test("says what comes from an explicit provider, and nothing that the plugin does not take", () => {
  const { connection } = TempIso.inputProperties;
  for (const { description } of [
    connection,
    IsoAttachment.inputProperties.connection,
    schema.types["xen:index:Connection"],
  ])
    expect(description).toContain("come from the explicit provider, or from the stack's configuration");
  const { users } = schema.functions["xen:index:cloudInit"].inputs.properties;
  expect(users.description).not.toContain("default");
});

test("credentials are secret however they were given, those of a jump host too", () => {
  const connection = { host: "xen1", password: "a", proxy: { host: "jump", privateKey: "b" } };
  const wrapped = JSON.stringify(encode({ connection }, secretsOf("xen:index:TempIso", { connection })));
  expect(wrapped.match(/1b47061264138c4ac30d75fd1eb44270/g)).toHaveLength(2);
});

test("an output that only some discs have is not required", () => {
  expect(TempIso.properties).toHaveProperty("hosts");
  expect(TempIso.required).not.toContain("hosts");
  expect(TempIso.required).toContain("srUuid");
});

const replacing = (properties: object) =>
  Object.entries(properties)
    .filter(([, { replaceOnChanges }]) => replaceOnChanges)
    .map(([name]) => name);

test.each([
  ["TempIso", TempIso, ["srMountPath"], tempIso],
  ["IsoAttachment", IsoAttachment, ["vmUuid"], isoAttachment],
  ["IsoRelease", IsoRelease, ["srUuid"], isoRelease],
] as const)(
  "%s: the schema and the diff agree about what always replaces it",
  async (_type, spec, names, life) => {
    expect(replacing(spec.inputProperties)).toEqual(names);
    expect(replacing(spec.properties)).toEqual(names);
    const olds = { ...Object.fromEntries(names.map((name) => [name, "old"])), insertedVdiUuids: [] };
    const diff = life.diff as (id: string, olds: object, news: object) => Promise<DiffResult>;
    for (const name of names)
      expect((await diff("id", olds, { ...olds, [name]: "new" })).replaces).toContain(name);
  },
);
