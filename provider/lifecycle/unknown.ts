/**
 * The placeholder in a preview for a value that is not known yet, alone or for a whole object.
 *
 * @see pulumi/pulumi: sdk/nodejs/runtime/rpc.ts, `unknownValue`
 */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isUnknown(value: unknown): boolean {
  return value === UNKNOWN;
}
