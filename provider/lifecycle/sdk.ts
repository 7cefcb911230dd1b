import { createRequire } from "node:module";
import type * as EngineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb";
import type * as EnginePb from "@pulumi/pulumi/proto/engine_pb";
import type * as PluginPb from "@pulumi/pulumi/proto/plugin_pb";
import type * as ProviderGrpc from "@pulumi/pulumi/proto/provider_grpc_pb";
import type * as ProviderPb from "@pulumi/pulumi/proto/provider_pb";
import type * as StatusPb from "@pulumi/pulumi/proto/status_pb";

// The SDK's own copies of gRPC and protobuf: with a second copy, the SDK's generated code throws.
const requireOfSdk = createRequire(require.resolve("@pulumi/pulumi/package.json"));

/** The largest message in either direction. */
type Metadata = NonNullable<Extract<Parameters<EngineGrpc.EngineClient["log"]>[1], object>>;

/** The parts of gRPC that are used here. */
interface Grpc {
  readonly credentials: { createInsecure(): never };
  readonly Metadata: new () => Metadata;
  readonly Server: new (options: Readonly<Record<string, number>>) => GrpcServer;
  readonly ServerCredentials: { createInsecure(): object };
  readonly status: { readonly UNKNOWN: number };
}

/** A gRPC server. */
export interface GrpcServer {
  addService(service: object, methods: object): void;
  bindAsync(address: string, credentials: object, done: (error: Error | null, port: number) => void): void;
  forceShutdown(): void;
}

/** Messages of protobuf's own library. */
interface WellKnown {
  readonly Any: new () => { pack(bytes: Uint8Array, name: string): void };
  readonly Empty: new () => object;
  readonly Struct: { fromJavaScript(value: never): object };
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

/** The service of a provider plugin, and its messages. */
export function loadProviderProto() {
  const { ResourceProviderService: service } = requireOfSdk(
    "@pulumi/pulumi/proto/provider_grpc_pb",
  ) as typeof ProviderGrpc;
  const pb = requireOfSdk("@pulumi/pulumi/proto/provider_pb") as typeof ProviderPb;
  const pluginPb = requireOfSdk("@pulumi/pulumi/proto/plugin_pb") as typeof PluginPb;
  const statusPb = requireOfSdk("@pulumi/pulumi/proto/status_pb") as typeof StatusPb;
  const { Any } = requireOfSdk("google-protobuf/google/protobuf/any_pb") as Pick<WellKnown, "Any">;
  const { Empty } = requireOfSdk("google-protobuf/google/protobuf/empty_pb") as Pick<WellKnown, "Empty">;
  const { Struct } = requireOfSdk("google-protobuf/google/protobuf/struct_pb") as Pick<WellKnown, "Struct">;
  return { service, pb, pluginPb, statusPb, Any, Empty, Struct };
}
