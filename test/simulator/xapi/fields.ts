import type { Database } from "./database";
import { CliFailure } from "./errors";
import type { PrintedField } from "./print";
import type { StringMap } from "./records";

/** A field of a class of records, as `xe` knows it. */
export interface Field<R> {
  readonly name: string;
  readonly get: (record: R, database: Database) => string;
  /** Where it is a map. */
  readonly map?: (record: R) => StringMap;
  /** Where it is a set. */
  readonly set?: (record: R, database: Database) => string[];
  /** Changes it; a map or set that has none is read-only. */
  readonly write?: (record: R, value: string, database: Database) => void;
  readonly isWritable?: boolean;
  readonly isDeprecated?: boolean;
  /** Whether this xapi knows it; every one does by default. */
  readonly isKnown?: (record: R) => boolean;
}

/** What `xe` prints for a reference that leads nowhere, also of an empty drive's disc. */
export const NOT_IN_DATABASE = "<not in database>";

/** The `uuid`, or another text nobody can change. */
export const text = <R>(name: string, get: (record: R, database: Database) => string): Field<R> => ({
  name,
  get,
});

/** A text that `param-set` changes. */
export const writable = <R>(
  name: string,
  get: (record: R, database: Database) => string,
  write: (record: R, value: string, database: Database) => void,
): Field<R> => ({ name, get, write, isWritable: true });

/** A map: `key: value; key: value`. */
export const map = <R>(
  name: string,
  get: (record: R) => StringMap,
  options: { isWritable: boolean } = { isWritable: true },
): Field<R> => ({
  name,
  get: (record) =>
    Object.entries(get(record))
      .map(([key, value]) => `${key}: ${value}`)
      .join("; "),
  map: get,
  ...options,
});

/** A set: `one; two`. */
export const set = <R>(
  name: string,
  get: (record: R, database: Database) => string[],
  options: { isWritable: boolean } = { isWritable: false },
): Field<R> => ({ name, get: (record, database) => get(record, database).join("; "), set: get, ...options });

/** A field with its label: `name-label ( RW)`, `device-config (MRO)`. */
export function printField<R>(field: Field<R>, record: R, database: Database): PrintedField {
  const kind = field.set ? "S" : field.map ? "M" : " ";
  const access = `(${kind}R${field.isWritable ? "W" : "O"})`;
  const deprecated = field.isDeprecated ? " [DEPRECATED]" : "";
  return [`${field.name} ${access}${deprecated}`, field.get(record, database)];
}

/** What a parameter's name leads to: a field, or an entry of a map or set field. */
export interface FieldAddress<R> {
  readonly field: Field<R>;
  /** What stands behind the field's name: the key of a map, `contains` of a set. */
  readonly key: string | undefined;
}

/**
 * @throws CliFailure for a name that leads nowhere
 * @see xapi-project/xen-api: ocaml/xapi-cli-server/cli_operations.ml get_field_type
 */
export function findField<R>(fields: readonly Field<R>[], name: string): FieldAddress<R> {
  const whole = fields.find((field) => field.name === name);
  if (whole) return { field: whole, key: undefined };
  const separators = name.includes(":") ? [":"] : ["-"];
  for (const separator of separators) {
    const field = fields
      .filter((each) => (each.map ?? each.set) && name.startsWith(each.name + separator))
      .sort((a, b) => b.name.length - a.name.length)[0];
    if (field) return { field, key: name.slice(field.name.length + 1) };
  }
  const prefix = fields.find((field) => name.startsWith(`${field.name}:`));
  throw new CliFailure(prefix ? `Field '${prefix.name}' is not a set or map` : `Unknown field '${name}'`);
}
