import { createRequire } from "node:module";
import type * as EnginePb from "@pulumi/pulumi/proto/engine_pb";

/** One entry as the engine got it. */
export interface LogEntry {
  readonly severity: string | undefined;
  readonly urn: string;
  readonly message: string;
  readonly isEphemeral: boolean;
}

/** As much of gRPC as is used here. */
interface Grpc {
  readonly Server: new () => {
    addService(service: object, methods: object): void;
    bindAsync(address: string, credentials: object, done: (error: Error | null, port: number) => void): void;
    forceShutdown(): void;
  };
  readonly ServerCredentials: { createInsecure(): object };
}

// The SDK's own copies, as in the process that hosts dynamic providers.
const requireOfSdk = createRequire(require.resolve("@pulumi/pulumi"));
const grpc = requireOfSdk("@grpc/grpc-js") as Grpc;
const { EngineService } = requireOfSdk("@pulumi/pulumi/proto/engine_grpc_pb") as {
  EngineService: { log: object };
};
const pb = requireOfSdk("@pulumi/pulumi/proto/engine_pb") as typeof EnginePb;
const { Empty } = requireOfSdk("google-protobuf/google/protobuf/empty_pb.js") as { Empty: new () => object };

/** The log of an engine over real gRPC; this process takes it for its engine. */
export async function startEngineLog() {
  const entries: LogEntry[] = [];
  const server = new grpc.Server();
  const log = (
    { request }: { request: EnginePb.LogRequest },
    answer: (error: null, value: object) => void,
  ): void => {
    entries.push({
      severity: severityOf(request),
      urn: request.getUrn(),
      message: request.getMessage(),
      isEphemeral: request.getEphemeral(),
    });
    answer(null, new Empty());
  };
  server.addService({ log: EngineService.log }, { log });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  process.argv[2] = `127.0.0.1:${port}`;
  return {
    entries,
    stop: () => {
      server.forceShutdown();
    },
  };
}

function severityOf(request: EnginePb.LogRequest): string | undefined {
  const severity: number = request.getSeverity();
  return Object.entries(pb.LogSeverity).find(([, value]) => Number(value) === severity)?.[0];
}
