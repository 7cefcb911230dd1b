import { createRequire } from "node:module";
import type * as EngineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb";
import type * as EnginePb from "@pulumi/pulumi/proto/engine_pb";

// The SDK's own copy of gRPC: with a second copy, the SDK's generated code throws.
const requireOfSdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));

/** The parts of gRPC that are used here. */
interface Grpc {
  readonly credentials: { createInsecure(): never };
  readonly Metadata: new () => never;
}

/** gRPC as the SDK has it. */
export function loadGrpc(): Grpc {
  return requireOfSdk("@grpc/grpc-js") as Grpc;
}

/** The client of the engine's own service, and its messages. */
export function loadEngineProto() {
  const { EngineClient } = requireOfSdk("@pulumi/pulumi/proto/engine_grpc_pb") as typeof EngineGrpc;
  const pb = requireOfSdk("@pulumi/pulumi/proto/engine_pb") as typeof EnginePb;
  return { EngineClient, pb };
}
