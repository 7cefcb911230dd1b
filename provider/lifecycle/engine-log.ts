import { engineAddress } from "./engine-address";
import { loadEngineProto, loadGrpc } from "./sdk";
import { currentSession } from "./session";

/*
 * The engine's own log. Without an engine, or when the call fails, nothing is shown and nothing breaks.
 *
 * `urn` names the resource whose row shows the message; a URN that the engine does not know gets a row of its own.
 *
 * @see pulumi/pulumi: proto/pulumi/engine.proto, `Log`
 */

/** Shows a warning at a resource, and again when the run ends. */
export function warn(urn: unknown, message: string): Promise<void> {
  return log({ urn, message, severity: "WARNING" });
}

/** Shows a message in the resource's row until the next one; without a terminal each message is a line. */
export function showStatus(urn: unknown, message: string): void {
  void log({ urn, message, severity: "INFO", isEphemeral: true });
}

/** Shown only by `pulumi up --debug`. */
export function debug(urn: unknown, message: string): void {
  void log({ urn, message, severity: "DEBUG" });
}

interface Entry {
  readonly urn: unknown;
  readonly message: string;
  readonly severity: "DEBUG" | "INFO" | "WARNING";
  readonly isEphemeral?: boolean;
}

/** Timeout of one entry, so that a hanging engine delays nothing. */
const DEADLINE_MS = 5_000;

async function log({ urn, message, severity, isEphemeral = false }: Entry): Promise<void> {
  const engine = openEngine();
  if (!engine) return;
  const request = new engine.pb.LogRequest();
  request.setSeverity(engine.pb.LogSeverity[severity]);
  request.setMessage(message);
  request.setEphemeral(isEphemeral);
  const target = currentSession()?.urn ?? urn;
  if (typeof target === "string") request.setUrn(target);
  await new Promise<void>((resolve) => {
    const options = { deadline: Date.now() + DEADLINE_MS };
    engine.client.log(request, new engine.Metadata(), options, () => {
      resolve();
    });
  });
}

let opened: { readonly address: string; readonly engine: ReturnType<typeof connectTo> } | undefined;

function openEngine() {
  const address = engineAddress();
  if (!address) return undefined;
  if (opened?.address !== address) opened = { address, engine: connectTo(address) };
  return opened.engine;
}

function connectTo(address: string) {
  try {
    const { credentials, Metadata } = loadGrpc();
    const { EngineClient, pb } = loadEngineProto();
    return { client: new EngineClient(address, credentials.createInsecure()), Metadata, pb };
  } catch {
    // This SDK keeps these modules elsewhere.
    return undefined;
  }
}
