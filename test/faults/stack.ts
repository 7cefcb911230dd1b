import type { CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic";
import { isoAttachment, isoRelease, tempIso } from "../../provider/lifecycle/provider";

/** What the engine calls: a provider in this process, or in one that can be killed. */
export interface Provider<State = object> {
  check(olds: object, news: object): Promise<CheckResult>;
  diff(id: string, olds: State, news: never): Promise<DiffResult>;
  create(inputs: never): Promise<CreateResult<State>>;
  read(id: string, state: State): Promise<ReadResult<State>>;
  update(id: string, olds: State, news: never): Promise<UpdateResult<State>>;
  delete(id: string, state: State): Promise<void>;
}

/** The providers of this process, by resource. */
export const PROVIDERS = { tempIso, isoAttachment, isoRelease };

/** Which resource a provider is of. */
export type ResourceName = keyof typeof PROVIDERS;

/** A resource as a state holds it. */
export interface Stored<State> {
  readonly id: string;
  readonly outputs: State;
  /** Its create failed half-way: the next up calls `update` before anything else. */
  readonly hasFailed: boolean;
}

/**
 * A stack with one resource, with what the engine does to a state around each call of the provider.
 *
 * @see pulumi/pulumi: pkg/resource/deploy/step.go
 */
export class StandInStack<State extends object = object> {
  /** The resource as the state names it; undefined if it names none. */
  stored: Stored<State> | undefined;
  /** Replaced, and still to be deleted. */
  readonly replaced: Stored<State>[] = [];

  /** @param args the program's arguments, as the class passes them on */
  constructor(
    readonly resource: ResourceName,
    private readonly args: Readonly<Record<string, unknown>>,
    private readonly provider = PROVIDERS[resource] as unknown as Provider<State>,
  ) {}

  /** The same stack, with another provider process. */
  through(provider: Provider): StandInStack<State> {
    return this.#with(this.args, provider as Provider<State>);
  }

  /** The same stack, with other arguments in the program. */
  changed(args: Readonly<Record<string, unknown>>): StandInStack<State> {
    return this.#with({ ...this.args, ...args }, this.provider);
  }

  #with(args: Readonly<Record<string, unknown>>, provider: Provider<State>): StandInStack<State> {
    const stack = new StandInStack<State>(this.resource, args, provider);
    stack.adopt(this);
    return stack;
  }

  /** Takes over what another operation on the same stack has stored. */
  adopt({ stored, replaced }: StandInStack<State>): void {
    this.stored = stored;
    this.replaced.splice(0, this.replaced.length, ...replaced);
  }

  /** `pulumi up`. */
  async up(): Promise<void> {
    if (!this.stored) await this.#create();
    else await this.#updateOrReplace(this.stored);
    await this.#deleteReplaced();
  }

  /** `pulumi refresh`. */
  async refresh(): Promise<void> {
    if (!this.stored) return;
    const { id, props } = await this.provider.read(this.stored.id, this.stored.outputs);
    this.stored = id && props ? { id, outputs: props, hasFailed: false } : undefined;
  }

  /** `pulumi destroy`. */
  async destroy(): Promise<void> {
    await this.#deleteReplaced();
    if (!this.stored) return;
    await this.provider.delete(this.stored.id, this.stored.outputs);
    this.stored = undefined;
  }

  /** An update in place with the arguments as they are. */
  async update(): Promise<void> {
    if (this.stored) await this.#update(this.stored, await this.#check(this.stored.outputs));
  }

  async #updateOrReplace(stored: Stored<State>): Promise<void> {
    const inputs = await this.#check(stored.outputs);
    const { id, outputs } = stored;
    const { changes, replaces = [], deleteBeforeReplace } = await this.provider.diff(id, outputs, inputs);
    if (replaces.length > 0) {
      if (deleteBeforeReplace) await this.destroy();
      await this.#create();
      if (!deleteBeforeReplace) this.replaced.push(stored);
    } else if (changes || stored.hasFailed) await this.#update(stored, inputs);
  }

  async #update({ id, outputs }: Stored<State>, inputs: never): Promise<void> {
    try {
      const { outs } = await this.provider.update(id, outputs, inputs);
      this.stored = { id, outputs: outs ?? outputs, hasFailed: false };
    } catch (error) {
      if (isStoredAllTheSame(error))
        this.stored = { id, outputs: error.properties as State, hasFailed: true };
      throw error;
    }
  }

  async #create(): Promise<void> {
    const inputs = await this.#check({});
    try {
      const { id, outs } = await this.provider.create(inputs);
      if (!outs) throw new TypeError("The create returned no outputs.");
      this.stored = { id, outputs: outs, hasFailed: false };
    } catch (error) {
      if (isStoredAllTheSame(error)) {
        if (this.stored) this.replaced.push(this.stored);
        this.stored = { id: error.id, outputs: error.properties as State, hasFailed: true };
      }
      throw error;
    }
  }

  async #deleteReplaced(): Promise<void> {
    for (const stored of [...this.replaced]) {
      await this.provider.delete(stored.id, stored.outputs);
      this.replaced.splice(this.replaced.indexOf(stored), 1);
    }
  }

  async #check(olds: object): Promise<never> {
    const { inputs, failures = [] } = await this.provider.check({ ...olds }, { ...this.args });
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("\n"));
    return inputs as never;
  }
}

function isStoredAllTheSame(error: unknown): error is Error & { id: string; properties: object } {
  return error instanceof Error && "id" in error && "properties" in error;
}
