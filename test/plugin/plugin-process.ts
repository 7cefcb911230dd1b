import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Server } from "node:net";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { ProviderProcess, startEngine } from "../faults/provider-process";
import type { Provider } from "../faults/stack";
import { withoutOwner } from "../../provider/plugin/resources";
import type { Properties } from "../../provider/plugin/values";
import { PluginClient } from "./client";

const main = resolve(__dirname, "../../dist/plugin/main.js");

/** The provider plugin as it is built, in a process of its own. */
export class PluginProcess extends ProviderProcess {
  private constructor(
    child: ChildProcess,
    engine: Server,
    readonly client: PluginClient,
  ) {
    super(child, engine);
  }

  /** @param settings the provider's own, such as `host` */
  static async start(settings: Properties = {}): Promise<PluginProcess> {
    const { engine, address } = await startEngine();
    const child = spawn(process.execPath, [main, address], { stdio: ["pipe", "pipe", "inherit"] });
    const [port] = (await once(createInterface(child.stdout), "line")) as [string];
    const client = new PluginClient(Number(port));
    await client.handshake(settings);
    return new PluginProcess(child, engine, client);
  }

  /** A provider of any resource: its URN, which stands in `owner`, says which. */
  override provider(): Provider<Properties> {
    const { client } = this;
    const urnOf = (values: object) => (values as { owner: string }).owner;
    const inputsOf = (values: object) => withoutOwner(values as Properties);
    return {
      check: async (olds, news) => {
        const { inputs, failures } = await client.check(urnOf(news), inputsOf(olds), inputsOf(news));
        return { inputs: { ...inputs, owner: urnOf(news) }, failures };
      },
      diff: (id, olds, news) => client.diff({ urn: urnOf(news), id }, olds, inputsOf(news)),
      create: (inputs) => client.create({ urn: urnOf(inputs) }, inputsOf(inputs)),
      read: (id, state) => client.read({ urn: urnOf(state), id }, state),
      update: (id, olds, news) => client.update({ urn: urnOf(news), id }, olds, inputsOf(news)),
      delete: (id, state) => client.delete({ urn: urnOf(state), id }, state),
    };
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await super[Symbol.asyncDispose]();
  }
}
