import { whileUnderWay } from "./engine-watch";
import { whileLogged } from "./operation-log";

/**
 * An error that the engine takes for "made, but failed": it stores the properties, and the resource stays in
 * the state.
 *
 * @see pulumi/pulumi: sdk/nodejs/cmd/dynamic-provider/index.ts, `grpcResponseFromError`
 */
export class CreatedButFailedError extends Error {
  override readonly name = "CreatedButFailedError";
  /** The only words that the engine shows. */
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
 * Stands between the provider and the host that calls it. What it lets through, the host can send:
 *
 * - `undefined` anywhere in a result is an error *after* the disc was made, so nobody stores it; in the
 *   properties of a created-but-failed error it makes `pulumi up` hang. It is left out.
 * - any error with a truthy `id` would count as created-but-failed, and a numeric `code` as a gRPC status:
 *   only {@link CreatedButFailedError} keeps its `id`, none its code.
 * - the stack of an error is printed: users read what failed, not where in here.
 *
 * @param urn of the resource at which the engine shows what the call does on a host, if it does anything there
 * @throws Error whose message is the message of what was thrown
 */
export async function atEngine<T>(call: () => T | Promise<T>, urn?: string): Promise<T> {
  const logged = urn === undefined ? call : () => whileLogged(urn, call);
  try {
    return toPlain(await whileUnderWay(logged), "result") as T;
  } catch (error) {
    throw toEngineError(error);
  }
}

function toEngineError(error: unknown): Error {
  const shaped = new Error(error instanceof Error ? error.message : String(error));
  shaped.stack = "";
  if (!(error instanceof CreatedButFailedError)) return shaped;
  const { id, reasons, properties } = error;
  return Object.assign(shaped, { id, reasons, properties: toPlain(properties, "properties") });
}

/** The value without what is `undefined` in it. */
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
