import { withHelpLine } from "../host/help-line";
import { debug } from "./engine-log";
import { whileUnderWay } from "./engine-watch";
import { whileLogged } from "./operation-log";

/**
 * An error that means "created, but failed" to the engine: it stores the properties and keeps the resource in the
 * state.
 *
 * @see pulumi/pulumi: sdk/nodejs/cmd/dynamic-provider/index.ts, `grpcResponseFromError`
 */
export class CreatedButFailedError extends Error {
  override readonly name = "CreatedButFailedError";
  /** The only text that the engine shows. */
  readonly reasons: readonly string[];

  constructor(
    readonly id: string,
    readonly properties: object,
    cause: Error,
  ) {
    super(cause.message, { cause });
    this.reasons = [cause.message];
  }
}

/**
 * Runs a call of the engine and turns its result or error into what can be sent to the engine:
 *
 * - `undefined` is left out. In a result it would be an error *after* the disc was made, so nobody would store the
 *   disc; in the properties of a created-but-failed error it makes `pulumi up` hang.
 * - Only {@link CreatedButFailedError} keeps its `id`, and no error keeps its `code`. Any error with a truthy `id`
 *   counts as created-but-failed, and a numeric `code` as a gRPC status.
 * - No error keeps its stack, because the engine prints it. The stack of an internal error goes to the debug log.
 *
 * @param urn of the resource whose row shows progress; without it nothing is shown
 * @throws Error with the message of the error thrown, and a link to what to do about its code
 */
export async function atEngine<T>(call: () => T | Promise<T>, urn?: string): Promise<T> {
  const logged = urn === undefined ? call : () => whileLogged(urn, call);
  try {
    return toPlain(await whileUnderWay(logged), "result") as T;
  } catch (error) {
    if (isInternal(error)) debug(urn, error.stack ?? error.message);
    throw toEngineError(error);
  }
}

/** Whether it is a mistake in this package's code: Node.js throws these, every other failure has a type of ours. */
function isInternal(error: unknown): error is Error {
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((type) => error instanceof type);
}

function toEngineError(error: unknown): Error {
  const shaped = new Error(withHelpLine(error instanceof Error ? error.message : String(error), error));
  shaped.stack = "";
  if (!(error instanceof CreatedButFailedError)) return shaped;
  const { id, reasons, properties } = error;
  return Object.assign(shaped, {
    id,
    reasons: reasons.map((reason) => withHelpLine(reason, error)),
    properties: toPlain(properties, "properties"),
  });
}

/** A copy without the properties that are `undefined`. */
function toPlain(value: unknown, path: string): unknown {
  if (value === undefined || value === null || typeof value === "string" || typeof value === "boolean")
    return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item, index) => toPlain(item, `${path}[${index}]`) ?? null);
  if (
    typeof value === "object" &&
    [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)
  ) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.map(([key, item]) => [key, toPlain(item, `${path}.${key}`)]));
  }
  throw new TypeError(`${path} of the provider is not JSON.`);
}
