import type { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import type * as Pb from "@pulumi/pulumi/proto/provider_pb";
import { attachTo } from "../lifecycle/engine-address";
import { watchEngine } from "../lifecycle/engine-watch";
import { type GrpcServer, loadGrpc, loadProviderProto } from "../lifecycle/sdk";
import { unary } from "./answer";
import { Provider } from "./provider";
import { schemaText, version } from "./schema";

/** The same limit as the SDK's: a property map can hold the content of `files`. */
const LARGEST_MESSAGE_BYTES = 400 * 1024 ** 2;

/** A running server. */
export interface PluginServer {
  /** On 127.0.0.1. */
  readonly port: number;
  stop(): void;
}

/**
 * Serves one provider to one engine, on a free port of 127.0.0.1.
 *
 * @throws Error if no port can be bound
 */
export async function serve(): Promise<PluginServer> {
  const { Server, ServerCredentials } = loadGrpc();
  const server = new Server({
    "grpc.max_receive_message_length": LARGEST_MESSAGE_BYTES,
    "grpc.max_send_message_length": LARGEST_MESSAGE_BYTES,
  });
  server.addService(loadProviderProto().service, methodsOf(new Provider()));
  return { port: await bind(server, ServerCredentials.createInsecure()), stop: () => server.forceShutdown() };
}

function bind(server: GrpcServer, credentials: object): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}

function methodsOf(provider: Provider) {
  const { pb, pluginPb, Empty } = loadProviderProto();
  return {
    handshake: unary(() => {
      watchEngine();
      const response = new pb.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),
    attach: unary((request: PluginAttach) => {
      attachTo(request.getAddress());
      return new Empty();
    }),
    getPluginInfo: unary(() => {
      const info = new pluginPb.PluginInfo();
      info.setVersion(version);
      return info;
    }),
    getSchema: unary((request: Pb.GetSchemaRequest) => {
      if (request.getVersion() !== 0)
        throw new Error(`Schema version ${request.getVersion()} is not supported.`);
      const response = new pb.GetSchemaResponse();
      response.setSchema(schemaText);
      return response;
    }),
    getMapping: unary(() => new pb.GetMappingResponse()),
    getMappings: unary(() => new pb.GetMappingsResponse()),
    checkConfig: unary((request: Pb.CheckRequest) => provider.checkConfig(request)),
    diffConfig: unary((request: Pb.DiffRequest) => provider.diffConfig(request)),
    configure: unary((request: Pb.ConfigureRequest) => provider.configure(request)),
    cancel: unary(() => {
      provider.cancel();
      return new Empty();
    }),
    check: unary((request: Pb.CheckRequest) => provider.check(request)),
    diff: unary((request: Pb.DiffRequest) => provider.diff(request)),
    create: unary((request: Pb.CreateRequest) => provider.create(request)),
    read: unary((request: Pb.ReadRequest) => provider.read(request)),
    update: unary((request: Pb.UpdateRequest) => provider.update(request)),
    delete: unary((request: Pb.DeleteRequest) => provider.delete(request)),
    invoke: unary((request: Pb.InvokeRequest) => provider.invoke(request)),
  };
}
