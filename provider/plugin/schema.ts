import schema from "./schema.json";
import { NO_SECRETS, type SecretMarks } from "./values";

/** The schema of the package: JSON, made from the TypeScript types by `npm run schema`. */
export const schemaText = JSON.stringify(schema);

/** The version of the package. */
export const version: string = schema.version;

interface PropertySpec {
  readonly type?: string;
  readonly $ref?: string;
  readonly oneOf?: unknown;
  readonly additionalProperties?: PropertySpec;
  readonly secret?: boolean;
}

interface ResourceSpec {
  readonly inputProperties: Readonly<Record<string, PropertySpec>>;
  readonly required: readonly string[];
}

const types = schema.types as Readonly<
  Record<string, { readonly properties?: Readonly<Record<string, PropertySpec>> }>
>;

/** The schema of a resource. */
export function resourceSpec(token: string): ResourceSpec {
  const spec = (schema.resources as Readonly<Record<string, ResourceSpec>>)[token];
  if (!spec) throw new TypeError(`${token} is not a resource of this provider.`);
  return spec;
}

/** Where the inputs of a resource are always secret. */
export function secretsOf(token: string, values: Readonly<Record<string, unknown>>): SecretMarks {
  return marksIn(resourceSpec(token).inputProperties, values);
}

/** Names of the provider's settings, with their schema. */
export const settings: Readonly<Record<string, PropertySpec>> = schema.provider.inputProperties;

function marksIn(
  properties: Readonly<Record<string, PropertySpec>>,
  values: Readonly<Record<string, unknown>>,
): SecretMarks {
  const inside = new Map<string, SecretMarks>();
  for (const [name, spec] of Object.entries(properties)) {
    const value = values[name];
    if (value === undefined) continue;
    const { secret = false } = spec;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const marks = isObject
      ? marksIn(propertiesOf(spec, value), value as Record<string, unknown>)
      : NO_SECRETS;
    if (secret || marks.inside.size > 0) inside.set(name, { isSecret: secret, inside: marks.inside });
  }
  return { isSecret: false, inside };
}

/** The properties of an object: those of its type or, for a map, its keys. */
function propertiesOf(
  { $ref, additionalProperties }: PropertySpec,
  value: object,
): Readonly<Record<string, PropertySpec>> {
  if (additionalProperties)
    return Object.fromEntries(Object.keys(value).map((key) => [key, additionalProperties]));
  return ($ref?.startsWith("#/types/") && types[$ref.slice("#/types/".length)]?.properties) || {};
}
