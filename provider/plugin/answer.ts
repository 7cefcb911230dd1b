import type { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { loadGrpc, loadProviderProto } from "../lifecycle/sdk";
import { encode, type Properties, type SecretMarks } from "./values";

/** A protobuf message with properties. */
type Struct = NonNullable<ReturnType<ErrorResourceInitFailed["getProperties"]>>;

/** A gRPC call, and its reply. */
type UnaryHandler<Request, Response> = (
  call: { readonly request: Request },
  answer: (error: object | null, response?: Response) => void,
) => void;

/** A create or update that failed and left something: the engine stores it, marked as failed. */
export interface InitFailure extends Error {
  readonly id: string;
  readonly properties: Properties;
  readonly reasons: readonly string[];
}

/** Whether `lifecycle/` threw it with a state to store. */
export function isInitFailure(error: unknown): error is InitFailure {
  return error instanceof Error && "id" in error && "properties" in error && "reasons" in error;
}

/** Replies to a call with the result of `handle`, or with its error. */
export function unary<Request, Response>(
  handle: (request: Request) => Response | Promise<Response>,
): UnaryHandler<Request, Response> {
  return ({ request }, answer) => {
    void (async () => {
      try {
        answer(null, await handle(request));
      } catch (error) {
        answer(toStatus(error));
      }
    })();
  };
}

/** Properties as a message, with the marked secrets wrapped. */
export function toStruct(values: Properties, secrets: SecretMarks): Struct {
  return loadProviderProto().Struct.fromJavaScript(encode(values, secrets) as never) as Struct;
}

/** An {@link InitFailure} with its properties ready to be sent. */
export class EncodedInitFailure extends Error {
  constructor(
    readonly failure: InitFailure,
    readonly secrets: SecretMarks,
    readonly inputs: Struct,
  ) {
    super(failure.message);
  }
}

function toStatus(error: unknown): object {
  const { status, Metadata } = loadGrpc();
  const message = error instanceof Error ? error.message : String(error);
  const metadata = new Metadata();
  if (error instanceof EncodedInitFailure)
    metadata.add("grpc-status-details-bin", detailsOf(error, status.UNKNOWN));
  return { code: status.UNKNOWN, details: message, metadata };
}

/** @see pulumi/pulumi: sdk/nodejs/provider/server.ts, `grpcResponseFromError` */
function detailsOf({ failure, secrets, inputs }: EncodedInitFailure, code: number): Buffer {
  const { pb, statusPb, Any } = loadProviderProto();
  const detail = new pb.ErrorResourceInitFailed();
  detail.setId(failure.id);
  detail.setProperties(toStruct(failure.properties, secrets));
  detail.setReasonsList([...failure.reasons]);
  detail.setInputs(inputs);
  const any = new Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statusPb.Status();
  status.setCode(code);
  status.setMessage(failure.message);
  status.addDetails(any as never);
  return Buffer.from(status.serializeBinary());
}
