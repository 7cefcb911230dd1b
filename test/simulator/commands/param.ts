import type { RecordClass } from "../xapi/classes";
import { CliFailure, XapiError } from "../xapi/errors";
import { type Field, findField, printField } from "../xapi/fields";
import { type Command, command, type CommandContext } from "./command";

/**
 * `<class>-param-list`, `-get`, `-set`, `-add`, `-remove` and `-clear`
 *
 * @see xapi-project/xen-api: ocaml/xapi-cli-server/cli_operations.ml make_param_funs
 */
export function paramCommands<R>(recordClass: RecordClass<R>): Record<string, Command> {
  const { name, fields } = recordClass;
  const recordOf = ({ xapi, args }: CommandContext) => recordClass.find(xapi, args.need("uuid"));
  const fieldOf = ({ args }: CommandContext) => lookUp(fields, args.need("param-name"));
  return {
    [`${name}-param-list`]: command(["uuid"], (context) => {
      const record = recordOf(context);
      return { table: [fields.map((field) => printField(field, record, context.xapi))] };
    }),

    [`${name}-param-get`]: command(["uuid", "param-name"], (context) => {
      const record = recordOf(context);
      const field = fieldOf(context);
      const key = context.args.get("param-key");
      if (!field.map || key === undefined) return { list: [field.get(record, context.xapi)] };
      const value = field.map(record)[key];
      if (value === undefined) throw new CliFailure(`Key ${key} not found in map`);
      return { list: [value] };
    }),

    [`${name}-param-set`]: command(["uuid"], (context) => {
      const record = recordOf(context);
      for (const [key, value] of assignments(context)) setField(recordClass, record, key, value, context);
      return undefined;
    }),

    [`${name}-param-add`]: command(["uuid", "param-name"], (context) => {
      addTo(fieldOf(context), recordOf(context), name, context);
      return undefined;
    }),

    [`${name}-param-remove`]: command(["uuid", "param-name", "param-key"], (context) => {
      removeFrom(fieldOf(context), recordOf(context), context);
      return undefined;
    }),

    [`${name}-param-clear`]: command(["uuid", "param-name"], (context) => {
      const field = fieldOf(context);
      const record = recordOf(context);
      if (field.write) field.write(record, "", context.xapi);
      else if (field.isWritable) empty(field, record, context);
      else throw new CliFailure("Can only clear RW parameters");
      return undefined;
    }),
  };
}

const STANDARD = ["uuid", "param-name", "param-key", "minimal", "force", "multiple", "all", "trace"];

const assignments = ({ args }: CommandContext) => args.entries.filter(([key]) => !STANDARD.includes(key));

function lookUp<R>(fields: readonly Field<R>[], name: string): Field<R> {
  const field = fields.find((each) => each.name === name);
  if (!field) throw new XapiError("Missing parameter", name);
  return field;
}

function setField<R>(
  { fields }: RecordClass<R>,
  record: R,
  name: string,
  value: string,
  { xapi }: CommandContext,
): void {
  const { field, key } = findField(fields, name);
  if (key !== undefined) {
    if (!field.map) throw new CliFailure("Cannot param-set on set fields");
    if (!field.isWritable) throw new CliFailure(`Map field '${field.name}' is read-only.`);
    field.map(record)[key] = value;
    return;
  }
  if (field.write) return field.write(record, value, xapi);
  throw new CliFailure(
    field.map && field.isWritable
      ? `Field '${name}' is a map or set. use the 'name:key=value' syntax.`
      : `Field '${name}' is read-only.`,
  );
}

function addTo<R>(field: Field<R>, record: R, className: string, context: CommandContext): void {
  const { map, set, isWritable } = field;
  if (!map && !set) throw new CliFailure("Can only add to parameters of type Set or Map");
  if (!isWritable) throw new CliFailure("Parameter is read-only");
  if (set) {
    const key = context.args.get("param-key");
    if (key === undefined) {
      throw new CliFailure(
        "When adding a key to a set, use the syntax: *-param-add param-name=<name> param-key=<key>",
      );
    }
    const values = set(record, context.xapi);
    if (!values.includes(key)) values.push(key);
    return;
  }
  for (const [key, value] of assignments(context)) {
    const entries = map?.(record) ?? {};
    if (key in entries) {
      throw new XapiError("MAP_DUPLICATE_KEY", className, field.name, context.args.need("uuid"), key);
    }
    entries[key] = value;
  }
}

function removeFrom<R>(field: Field<R>, record: R, { xapi, args }: CommandContext): void {
  const key = args.need("param-key");
  const { map, set, isWritable } = field;
  if (!map && !set) throw new CliFailure("Can only remove from parameters of type Set or Map");
  if (!isWritable) throw new CliFailure("Cannot remove parameters from read-only map");
  if (set) {
    const values = set(record, xapi);
    if (!values.includes(key)) throw new CliFailure(`Key ${key} is not in the set`);
    values.splice(values.indexOf(key), 1);
  }
  if (map) {
    const entries = map(record);
    if (!(key in entries)) throw new CliFailure(`Key ${key} is not in map`);
    Reflect.deleteProperty(entries, key);
  }
}

function empty<R>({ map, set }: Field<R>, record: R, { xapi }: CommandContext): void {
  set?.(record, xapi).splice(0);
  const entries = map?.(record) ?? {};
  for (const key of Object.keys(entries)) Reflect.deleteProperty(entries, key);
}
