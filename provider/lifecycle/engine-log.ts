import { createRequire } from "node:module";
import type { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type * as EnginePb from "@pulumi/pulumi/proto/engine_pb";
import { engineAddress } from "./engine-address";

/*
 * The engine's own log. Where there is no such channel, or it fails, nothing is shown and nothing breaks.
 *
 * `urn` is that of a resource; one that the engine does not know makes a row of its own.
 *
 * @see pulumi/pulumi: proto/pulumi/engine.proto, `Log`
 */

/** Shows a warning at a resource, and again at the end of the run. */
export function warn(urn: unknown, message: string): Promise<void> {
  return log({ urn, message, severity: "WARNING" });
}

/** Shows in the resource's row what goes on, until the next message takes its place; a line without a terminal. */
export function showStatus(urn: unknown, message: string): void {
  void log({ urn, message, severity: "INFO", isEphemeral: true });
}

/** Is shown by `pulumi up --debug` alone. */
export function debug(urn: unknown, message: string): void {
  void log({ urn, message, severity: "DEBUG" });
}

interface Entry {
  readonly urn: unknown;
  readonly message: string;
  readonly severity: "DEBUG" | "INFO" | "WARNING";
  readonly isEphemeral?: boolean;
}

/** How long an engine may take for an entry, so that one that hangs holds nothing up. */
const DEADLINE_MS = 5_000;

async function log({ urn, message, severity, isEphemeral = false }: Entry): Promise<void> {
  const engine = (opened ??= { engine: openEngine() }).engine;
  if (!engine) return;
  const request = new engine.pb.LogRequest();
  request.setSeverity(engine.pb.LogSeverity[severity]);
  request.setMessage(message);
  request.setEphemeral(isEphemeral);
  if (typeof urn === "string") request.setUrn(urn);
  await new Promise<void>((resolve) => {
    const options = { deadline: Date.now() + DEADLINE_MS };
    engine.client.log(request, new engine.Metadata(), options, () => {
      resolve();
    });
  });
}

interface Engine {
  readonly client: EngineClient;
  readonly Metadata: new () => never;
  readonly pb: typeof EnginePb;
}

let opened: { readonly engine: Engine | undefined } | undefined;

function openEngine(): Engine | undefined {
  const address = engineAddress();
  if (!address) return undefined;
  try {
    // The SDK's own copy of gRPC: with a second one its generated client throws.
    const requireOfSdk = createRequire(require.resolve("@pulumi/pulumi"));
    const { credentials, Metadata } = requireOfSdk("@grpc/grpc-js") as {
      credentials: { createInsecure(): never };
      Metadata: new () => never;
    };
    const { EngineClient: Client } = requireOfSdk("@pulumi/pulumi/proto/engine_grpc_pb") as {
      EngineClient: typeof EngineClient;
    };
    const pb = requireOfSdk("@pulumi/pulumi/proto/engine_pb") as typeof EnginePb;
    return { client: new Client(address, credentials.createInsecure()), Metadata, pb };
  } catch {
    // An SDK that keeps these modules elsewhere.
    return undefined;
  }
}
