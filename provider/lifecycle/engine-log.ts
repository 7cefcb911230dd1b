import { createRequire } from "node:module";
import type { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type * as EnginePb from "@pulumi/pulumi/proto/engine_pb";
import { engineAddress } from "./engine-address";

/**
 * Shows a warning at a resource, by the engine's own log. Where there is no such channel nothing is shown and
 * nothing breaks.
 *
 * @param urn of the resource; one that the engine does not know would make a row of its own
 * @see pulumi/pulumi: proto/pulumi/engine.proto, `Log`
 */
export async function warn(urn: unknown, message: string): Promise<void> {
  const engine = (client ??= openEngine());
  if (!engine) return;
  const request = new engine.pb.LogRequest();
  request.setSeverity(engine.pb.LogSeverity.WARNING);
  request.setMessage(message);
  if (typeof urn === "string") request.setUrn(urn);
  await new Promise<void>((resolve) => {
    engine.client.log(request, () => {
      resolve();
    });
  });
}

interface Engine {
  readonly client: EngineClient;
  readonly pb: typeof EnginePb;
}

let client: Engine | undefined;

function openEngine(): Engine | undefined {
  const address = engineAddress();
  if (!address) return undefined;
  // The SDK's own copy of gRPC: with a second one its generated client throws.
  const requireOfSdk = createRequire(require.resolve("@pulumi/pulumi"));
  const grpc = requireOfSdk("@grpc/grpc-js") as { credentials: { createInsecure(): never } };
  const { EngineClient: Client } = requireOfSdk("@pulumi/pulumi/proto/engine_grpc_pb") as {
    EngineClient: typeof EngineClient;
  };
  const pb = requireOfSdk("@pulumi/pulumi/proto/engine_pb") as typeof EnginePb;
  return { client: new Client(address, grpc.credentials.createInsecure()), pb };
}
