import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import type * as Pb from "@pulumi/pulumi/proto/provider_pb";
import { loadGrpc, loadProviderProto } from "../../provider/lifecycle/sdk";
import { secretsOf } from "../../provider/plugin/schema";
import { decode, encode, NO_SECRETS, type Properties } from "../../provider/plugin/values";
import { tokenOf } from "../../provider/plugin/resources";

/** The failure of a create or update that left something, as the engine stores it. */
export type InitFailure = Error & { id: string; properties: Properties; reasons: string[] };

/** A resource, and how long an operation on it may take; 0 is no limit. */
export interface Target {
  readonly urn: string;
  readonly id?: string;
  readonly timeoutSeconds?: number;
}

/** Speaks to a plugin as the engine does: plain values here, secrets wrapped on the wire. */
export class PluginClient {
  readonly #client: ResourceProviderClient;

  constructor(port: number) {
    this.#client = new ResourceProviderClient(`127.0.0.1:${port}`, loadGrpc().credentials.createInsecure());
  }

  close(): void {
    this.#client.close();
  }

  /** What the engine says first: from then on the plugin watches it. */
  async handshake(settings: Properties = {}): Promise<void> {
    const { pb } = loadProviderProto();
    await ask((done) => this.#client.handshake(new pb.ProviderHandshakeRequest(), done));
    const request = new pb.ConfigureRequest();
    request.setArgs(structOf(settings));
    request.setAcceptsecrets(true);
    await ask((done) => this.#client.configure(request, done));
  }

  async check(urn: string, olds: Properties, news: Properties) {
    const request = new (loadProviderProto().pb.CheckRequest)();
    request.setUrn(urn);
    request.setOlds(structOf(olds, urn));
    request.setNews(structOf(news, urn));
    const response = await ask<Pb.CheckResponse>((done) => this.#client.check(request, done));
    const failures = response
      .getFailuresList()
      .map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() }));
    return { inputs: propertiesOf(response.getInputs()), failures };
  }

  async diff({ urn, id = "" }: Target, olds: Properties, news: Properties) {
    const { pb } = loadProviderProto();
    const request = new pb.DiffRequest();
    request.setUrn(urn);
    request.setId(id);
    request.setOlds(structOf(olds, urn));
    request.setNews(structOf(news, urn));
    const response = await ask<Pb.DiffResponse>((done) => this.#client.diff(request, done));
    return {
      changes: response.getChanges() === pb.DiffResponse.DiffChanges.DIFF_SOME,
      replaces: response.getReplacesList(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  /** What a preview shows of a resource that is to be created; not known is the SDK's value for that. */
  async preview(urn: string, inputs: Properties): Promise<Properties> {
    const request = new (loadProviderProto().pb.CreateRequest)();
    request.setUrn(urn);
    request.setProperties(structOf(inputs, urn));
    request.setPreview(true);
    const response = await ask<Pb.CreateResponse>((done) => this.#client.create(request, done));
    return propertiesOf(response.getProperties());
  }

  /** @throws {@link InitFailure} when something was left */
  async create({ urn, timeoutSeconds = 0 }: Target, inputs: Properties) {
    const request = new (loadProviderProto().pb.CreateRequest)();
    request.setUrn(urn);
    request.setProperties(structOf(inputs, urn));
    request.setTimeout(timeoutSeconds);
    const response = await ask<Pb.CreateResponse>((done) => this.#client.create(request, done));
    return { id: response.getId(), outs: propertiesOf(response.getProperties()) };
  }

  async read({ urn, id = "", timeoutSeconds = 0 }: Target, state: Properties) {
    const request = new (loadProviderProto().pb.ReadRequest)();
    request.setUrn(urn);
    request.setId(id);
    request.setProperties(structOf(state, urn));
    request.setTimeout(timeoutSeconds);
    const response = await ask<Pb.ReadResponse>((done) => this.#client.read(request, done));
    return { id: response.getId(), props: propertiesOf(response.getProperties()) };
  }

  /** @throws {@link InitFailure} when something was left */
  async update({ urn, id = "", timeoutSeconds = 0 }: Target, olds: Properties, news: Properties) {
    const request = new (loadProviderProto().pb.UpdateRequest)();
    request.setUrn(urn);
    request.setId(id);
    request.setOlds(structOf(olds, urn));
    request.setNews(structOf(news, urn));
    request.setTimeout(timeoutSeconds);
    const response = await ask<Pb.UpdateResponse>((done) => this.#client.update(request, done));
    return { outs: propertiesOf(response.getProperties()) };
  }

  async delete({ urn, id = "", timeoutSeconds = 0 }: Target, state: Properties): Promise<void> {
    const request = new (loadProviderProto().pb.DeleteRequest)();
    request.setUrn(urn);
    request.setId(id);
    request.setProperties(structOf(state, urn));
    request.setTimeout(timeoutSeconds);
    await ask((done) => this.#client.delete(request, done));
  }

  /** @param urn of the provider itself */
  async checkConfig(news: Properties, urn = ""): Promise<string[]> {
    const request = new (loadProviderProto().pb.CheckRequest)();
    request.setUrn(urn);
    request.setNews(structOf(news));
    const response = await ask<Pb.CheckResponse>((done) => this.#client.checkConfig(request, done));
    return response.getFailuresList().map((failure) => failure.getReason());
  }

  async diffConfig(olds: Properties, news: Properties) {
    const { pb } = loadProviderProto();
    const request = new pb.DiffRequest();
    request.setOldInputs(structOf(olds));
    request.setNews(structOf(news));
    const response = await ask<Pb.DiffResponse>((done) => this.#client.diffConfig(request, done));
    return {
      changes: response.getChanges() === pb.DiffResponse.DiffChanges.DIFF_SOME,
      replaces: response.getReplacesList(),
      paths: [...response.getDetaileddiffMap().keys()],
    };
  }

  /** Calls a function of the package; `isSecret` says of each result whether it is one. */
  async invoke(token: string, args: Properties, secrets = NO_SECRETS) {
    const { pb, Struct } = loadProviderProto();
    const request = new pb.InvokeRequest();
    request.setTok(token);
    request.setArgs(Struct.fromJavaScript(encode(args, secrets) as never) as Struct);
    const response = await ask<Pb.InvokeResponse>((done) => this.#client.invoke(request, done));
    const { values, secrets: found } = decode(response.getReturn()?.toJavaScript() ?? {});
    return { values, isSecret: (name: string) => found.inside.get(name)?.isSecret ?? false };
  }

  /** For conversions from Terraform: the plugin has no mapping. */
  async mapping(): Promise<{ provider: string; bytes: number }> {
    const request = new (loadProviderProto().pb.GetMappingRequest)();
    request.setKey("terraform");
    const response = await ask<Pb.GetMappingResponse>((done) => this.#client.getMapping(request, done));
    return { provider: response.getProvider(), bytes: response.getData_asU8().length };
  }

  /** What the engine says on Ctrl-C. */
  async cancel(): Promise<void> {
    const empty = new (loadProviderProto().Empty)() as Parameters<ResourceProviderClient["cancel"]>[0];
    await ask((done) => this.#client.cancel(empty, done));
  }
}

/** The parts of a gRPC error that are used here. */
interface ServiceError {
  readonly details: string;
  readonly metadata: { get(name: string): (string | Buffer)[] };
}

type Done<Response> = (error: ServiceError | null, response: Response) => void;

function ask<Response>(send: (done: Done<Response>) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    send((error, response) => {
      if (error) reject(failureOf(error));
      else resolve(response);
    });
  });
}

/** @see pulumi/pulumi: sdk/go/common/resource/plugin/provider_plugin.go, `parseError` */
function failureOf({ details, metadata }: ServiceError): Error {
  const failure = new Error(details);
  const [bytes] = metadata.get("grpc-status-details-bin");
  if (!bytes) return failure;
  const { pb, statusPb } = loadProviderProto();
  const [detail] = statusPb.Status.deserializeBinary(bytes as Buffer).getDetailsList();
  const stored = pb.ErrorResourceInitFailed.deserializeBinary(detail!.getValue_asU8());
  return Object.assign(failure, {
    id: stored.getId(),
    properties: propertiesOf(stored.getProperties()),
    reasons: stored.getReasonsList(),
  }) satisfies InitFailure;
}

type Struct = ReturnType<Pb.CheckRequest["getNews"]>;

/** What the schema calls a secret is wrapped, as in a state. */
function structOf(values: Properties, urn?: string): Struct {
  const marks = urn ? secretsOf(tokenOf(urn), values) : { isSecret: false, inside: new Map() };
  return loadProviderProto().Struct.fromJavaScript(encode(values, marks) as never) as Struct;
}

const propertiesOf = (struct: Struct): Properties => decode(struct?.toJavaScript() ?? {}).values;
