import type * as Pb from "@pulumi/pulumi/proto/provider_pb";
import type { CheckResult } from "@pulumi/pulumi/dynamic";
import { inSession } from "../lifecycle/session";
import { UNKNOWN } from "../lifecycle/unknown";
import { EncodedInitFailure, isInitFailure, toStruct } from "./answer";
import { checkSettings, configurationOf } from "./configuration";
import { detailsOf, type PropertyChange, rootOf } from "./diff";
import { callFunction } from "./functions";
import { loadProviderProto } from "../lifecycle/sdk";
import { explicitProviderOf, lifeOf, tokenOf, withOwner, withoutOwner } from "./resources";
import { resourceSpec, secretsOf } from "./schema";
import {
  decode,
  type Decoded,
  hasSecret,
  NO_SECRETS,
  type Properties,
  type SecretMarks,
  union,
} from "./values";

/** Outputs that repeat an input under another name: secret if the input is. */
const COPIES: Readonly<Record<string, readonly string[]>> = {
  srMountPath: ["srPath"],
  connection: ["host", "port", "user", "hostKey"],
};

/**
 * One provider of a program, as the engine sees it: it has its own configuration and can be cancelled. Each
 * method answers the request of the same name.
 *
 * @see pulumi/pulumi: proto/pulumi/provider.proto
 */
export class Provider {
  #configuration = configurationOf({});
  #name: string | undefined;
  #cancelled = new AbortController();

  checkConfig(request: Pb.CheckRequest): Pb.CheckResponse {
    const news = decodeStruct(request.getNews());
    this.#name = explicitProviderOf(request.getUrn());
    const { failures } = this.#run({}, () => checkSettings(news.values));
    return checkResponse(news.values, news.secrets, failures);
  }

  /** Never replaces: each resource's diff decides what new settings mean. */
  diffConfig(request: Pb.DiffRequest): Pb.DiffResponse {
    const olds = decodeStruct(request.getOldInputs() ?? request.getOlds()).values;
    const changes = detailsOf(olds, decodeStruct(request.getNews()).values, []);
    return diffResponse({ changes: changes.size > 0, details: changes });
  }

  /** A plugin that engines attach to is configured by each of them: the Ctrl-C of one does not concern the next. */
  configure(request: Pb.ConfigureRequest): Pb.ConfigureResponse {
    this.#cancelled = new AbortController();
    this.#configuration = configurationOf(decodeStruct(request.getArgs()).values);
    const response = new (loadProviderProto().pb.ConfigureResponse)();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    return response;
  }

  /** Aborts running creates and updates, which then roll back. Deletes and reads end by themselves. */
  cancel(): void {
    this.#cancelled.abort(new Error("It was cancelled."));
  }

  async check(request: Pb.CheckRequest): Promise<Pb.CheckResponse> {
    const urn = request.getUrn();
    const [olds, news] = [decodeStruct(request.getOlds()), decodeStruct(request.getNews())];
    const { inputs, failures = [] }: CheckResult<Properties> = await this.#run({ urn }, () =>
      lifeOf(urn).check(olds.values, withOwner(news.values, urn)),
    );
    const checked = withoutOwner(inputs ?? {});
    return checkResponse(checked, union(news.secrets, secretsOf(tokenOf(urn), checked)), failures);
  }

  async diff(request: Pb.DiffRequest): Promise<Pb.DiffResponse> {
    const urn = request.getUrn();
    const olds = decodeStruct(request.getOlds()).values;
    const news = decodeStruct(request.getNews()).values;
    const oldInputs = decodeStruct(request.getOldInputs() ?? request.getOlds()).values;
    const found = await this.#run({ urn }, () =>
      lifeOf(urn).diff(request.getId(), olds, withOwner(news, urn)),
    );
    const { changes = false, replaces = [], deleteBeforeReplace = false } = found;
    const details = changes
      ? detailsOf(withoutOwner(oldInputs), news, replaces)
      : new Map<string, PropertyChange>();
    return diffResponse({ changes, replaces, deleteBeforeReplace, details });
  }

  async create(request: Pb.CreateRequest): Promise<Pb.CreateResponse> {
    const urn = request.getUrn();
    const inputs = decodeStruct(request.getProperties());
    const life = lifeOf(urn);
    const response = new (loadProviderProto().pb.CreateResponse)();
    if (request.getPreview()) {
      const known = await this.#run({ urn }, () => life.preview(withOwner(inputs.values, urn)));
      const unknown = resourceSpec(tokenOf(urn)).required.map((name) => [name, UNKNOWN]);
      const outs = { ...Object.fromEntries(unknown), ...known } as Properties;
      response.setProperties(toStruct(outs, secretsOfOutputs(urn, outs, inputs.secrets)));
      return response;
    }
    const made = await this.#stoppable({ urn, inputs, timeoutSeconds: request.getTimeout() }, () =>
      life.create(withOwner(inputs.values, urn)),
    );
    const outs = made.outs as Properties;
    response.setId(made.id);
    response.setProperties(toStruct(outs, secretsOfOutputs(urn, outs, inputs.secrets)));
    return response;
  }

  read(request: Pb.ReadRequest): Promise<Pb.ReadResponse> {
    const [state, inputs] = [decodeStruct(request.getProperties()), decodeStruct(request.getInputs())];
    const isImport = Object.keys(state.values).length === 0;
    return isImport ? this.#import(request) : this.#refresh(request, state, inputs);
  }

  async update(request: Pb.UpdateRequest): Promise<Pb.UpdateResponse> {
    const urn = request.getUrn();
    const [olds, news] = [decodeStruct(request.getOlds()), decodeStruct(request.getNews())];
    const secrets = union(olds.secrets, news.secrets);
    const response = new (loadProviderProto().pb.UpdateResponse)();
    const outs = request.getPreview()
      ? { ...olds.values, ...news.values }
      : await this.#stoppable(
          { urn, inputs: { ...news, secrets }, timeoutSeconds: request.getTimeout() },
          async () =>
            (await lifeOf(urn).update(request.getId(), olds.values, withOwner(news.values, urn)))
              .outs as Properties,
        );
    response.setProperties(toStruct(outs, secretsOfOutputs(urn, outs, secrets)));
    return response;
  }

  async delete(request: Pb.DeleteRequest): Promise<object> {
    const urn = request.getUrn();
    const { values } = decodeStruct(request.getProperties());
    await this.#limited({ urn, timeoutSeconds: request.getTimeout(), verb: "delete" }, () =>
      lifeOf(urn).delete(request.getId(), values),
    );
    return new (loadProviderProto().Empty)();
  }

  async invoke(request: Pb.InvokeRequest): Promise<Pb.InvokeResponse> {
    const { values, secrets } = decodeStruct(request.getArgs());
    const result = await this.#run({}, () => callFunction(request.getTok(), values));
    // It is unknown which part of the result contains the secret.
    const all = Object.keys(result).map((name) => [name, { isSecret: true, inside: new Map() }] as const);
    const response = new (loadProviderProto().pb.InvokeResponse)();
    const marks = hasSecret(secrets) && request.getTok() !== "xen:index:getDiscs" ? new Map(all) : new Map();
    response.setReturn(toStruct(result, { isSecret: false, inside: marks }));
    return response;
  }

  async #refresh(request: Pb.ReadRequest, state: Decoded, inputs: Decoded): Promise<Pb.ReadResponse> {
    const urn = request.getUrn();
    const found = await this.#limited({ urn, timeoutSeconds: request.getTimeout(), verb: "read" }, () =>
      // After a rename the stored URN is an old one.
      lifeOf(urn).read(request.getId(), withOwner(state.values, urn)),
    );
    const response = new (loadProviderProto().pb.ReadResponse)();
    if (!found.id) return response;
    const props = found.props as Properties;
    const secrets = secretsOfOutputs(urn, props, union(state.secrets, inputs.secrets));
    response.setId(found.id);
    response.setProperties(toStruct(props, secrets));
    response.setInputs(
      toStruct(inputs.values, union(inputs.secrets, secretsOf(tokenOf(urn), inputs.values))),
    );
    return response;
  }

  async #import(request: Pb.ReadRequest): Promise<Pb.ReadResponse> {
    const urn = request.getUrn();
    const life = lifeOf(urn);
    const found = await this.#limited({ urn, timeoutSeconds: request.getTimeout(), verb: "import" }, () => {
      if (!life.import) throw new Error(`${tokenOf(urn)} cannot be imported. Let the program create it.`);
      return life.import(request.getId());
    });
    const response = new (loadProviderProto().pb.ReadResponse)();
    if (!found) return response;
    response.setId(request.getId());
    response.setProperties(toStruct(found.props, NO_SECRETS));
    response.setInputs(toStruct(found.inputs, NO_SECRETS));
    return response;
  }

  #run<T>(of: { urn?: string; signal?: AbortSignal }, call: () => T): T {
    return inSession({ configuration: this.#configuration, provider: this.#name, ...of }, call);
  }

  /** Runs a create or update that rolls back when it is cancelled or times out. */
  async #stoppable<T>(
    { urn, inputs, timeoutSeconds }: { urn: string; inputs: Decoded; timeoutSeconds: number },
    call: () => Promise<T>,
  ): Promise<T> {
    const late = new AbortController();
    const timer = whenLate(timeoutSeconds, () => late.abort(timeoutError(timeoutSeconds)));
    try {
      return await this.#run({ urn, signal: AbortSignal.any([this.#cancelled.signal, late.signal]) }, call);
    } catch (error) {
      if (!isInitFailure(error)) throw error;
      const secrets = secretsOfOutputs(urn, error.properties, inputs.secrets);
      throw new EncodedInitFailure(error, secrets, toStruct(inputs.values, inputs.secrets));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs an operation that does not roll back when it times out: the same command continues it next time. */
  async #limited<T>(
    { urn, timeoutSeconds, verb }: { urn: string; timeoutSeconds: number; verb: string },
    call: () => Promise<T>,
  ): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = whenLate(timeoutSeconds, () => reject(timeoutError(timeoutSeconds, `The ${verb}`)));
    });
    try {
      return await Promise.race([this.#run({ urn }, call), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Calls `end` after the timeout of the operation; 0 means no limit. */
function whenLate(timeoutSeconds: number, end: () => void): NodeJS.Timeout | undefined {
  return timeoutSeconds > 0 ? setTimeout(end, timeoutSeconds * 1_000) : undefined;
}

function timeoutError(timeoutSeconds: number, what = "It"): Error {
  return new Error(`${what} did not end within ${timeoutSeconds} s. Set a longer time in customTimeouts.`);
}

/** Where the outputs of a resource are secret: where its inputs are, under the names of the outputs. */
function secretsOfOutputs(urn: string, outs: Properties, inputs: SecretMarks): SecretMarks {
  const marks = union(inputs, secretsOf(tokenOf(urn), outs));
  const inside = new Map(marks.inside);
  for (const [name, copies] of Object.entries(COPIES))
    if (inside.get(name)?.isSecret)
      for (const copy of copies) inside.set(copy, { isSecret: true, inside: new Map() });
  return { isSecret: false, inside };
}

function decodeStruct(struct: ReturnType<Pb.CheckRequest["getNews"]>): Decoded {
  return decode(struct?.toJavaScript() ?? {});
}

function checkResponse(
  inputs: Properties,
  secrets: SecretMarks,
  failures: readonly { readonly property: string; readonly reason: string }[],
): Pb.CheckResponse {
  const { pb } = loadProviderProto();
  const response = new pb.CheckResponse();
  response.setInputs(toStruct(inputs, secrets));
  response.setFailuresList(
    failures.map(({ property, reason }) => {
      const failure = new pb.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      return failure;
    }),
  );
  return response;
}

function diffResponse(diff: {
  changes: boolean;
  replaces?: readonly string[];
  deleteBeforeReplace?: boolean;
  details: ReadonlyMap<string, PropertyChange>;
}): Pb.DiffResponse {
  const { pb } = loadProviderProto();
  const { changes, replaces = [], deleteBeforeReplace = false, details } = diff;
  const { DIFF_SOME, DIFF_NONE } = pb.DiffResponse.DiffChanges;
  const response = new pb.DiffResponse();
  response.setChanges(changes ? DIFF_SOME : DIFF_NONE);
  response.setReplacesList([...replaces]);
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setDiffsList([...new Set([...details.keys()].map(rootOf))]);
  response.setHasdetaileddiff(details.size > 0);
  for (const [path, { kind, isReplace, isInput }] of details) {
    const change = new pb.PropertyDiff();
    const kindName = isReplace ? (`${kind}_REPLACE` as const) : kind;
    change.setKind(pb.PropertyDiff.Kind[kindName]);
    change.setInputdiff(isInput);
    response.getDetaileddiffMap().set(path, change);
  }
  return response;
}
