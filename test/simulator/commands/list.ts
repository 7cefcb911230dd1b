import type { Arguments } from "../xapi/arguments";
import type { RecordClass } from "../xapi/classes";
import type { Database } from "../xapi/database";
import { CliFailure } from "../xapi/errors";
import { findField, printField } from "../xapi/fields";
import { type Command, command } from "./command";

/** Parameters that are no filter of a list. */
const STANDARD = ["server", "password", "port", "username", "minimal", "force", "multiple", "all", "trace"];

/**
 * `<class>-list`
 *
 * @see xapi-project/xen-api: ocaml/xapi-cli-server/cli_operations.ml make_param_funs
 */
export function listCommand<R>(recordClass: RecordClass<R>): Command {
  return command([], ({ xapi, args }) => {
    const records = filterRecords(recordClass, recordClass.records(xapi), args, xapi);
    const wanted = args.get("params")?.split(",") ?? recordClass.shown;
    // The order in which fields are asked for does not count.
    const fields = recordClass.fields.filter(({ name }) => wanted.includes(name) || wanted[0] === "all");
    const printed = (record: R) =>
      fields
        .filter(({ isKnown }) => isKnown?.(record) ?? true)
        .map((field) => printField(field, record, xapi));
    return { table: records.map(printed) };
  });
}

/** The records that all filters among the arguments let pass. */
export function filterRecords<R>(
  { fields }: RecordClass<R>,
  records: readonly R[],
  args: Arguments,
  database: Database,
): readonly R[] {
  const filters = args.entries.filter(([key]) => key !== "params" && !STANDARD.includes(key));
  return filters.reduce((left, [name, value]) => {
    // No record, no fields to look a name up in: an unknown one passes.
    if (left.length === 0) return left;
    const { field, key } = findField(fields, name);
    if (key === undefined) return left.filter((record) => field.get(record, database) === value);
    const { map, set } = field;
    if (map) return left.filter((record) => map(record)[key] === value);
    if (key !== "contains") {
      throw new CliFailure("Invalid syntax for set filtering (should be set-param:contains=key)");
    }
    return left.filter((record) => set?.(record, database).includes(value) ?? false);
  }, records);
}
