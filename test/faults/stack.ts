import type { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoInputs } from "../../provider/lifecycle/inputs";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";

/** What the engine calls: the provider in this process, or in one that can be killed. */
export type Provider = Omit<typeof tempIso, "configure" | "preview" | "import">;

/** A resource as a state holds it. */
export interface StoredDisc {
  readonly id: string;
  readonly outputs: TempIsoState;
  /** Its create failed half-way: the next up calls `update` before anything else. */
  readonly hasFailed: boolean;
}

/**
 * A stack with one `XenTempIso`, with what the engine does to a state around each call of the provider.
 *
 * @see pulumi/pulumi: pkg/resource/deploy/step.go
 */
export class StandInStack {
  /** The resource as the state names it; undefined when it does not. */
  disc: StoredDisc | undefined;
  /** Replaced, and still to be deleted. */
  readonly replaced: StoredDisc[] = [];

  /** @param args the program's arguments, as the class passes them on */
  constructor(
    private readonly args: Readonly<Record<string, unknown>>,
    private readonly provider: Provider,
  ) {}

  /** The same stack, operated through another provider process. */
  through(provider: Provider): StandInStack {
    const stack = new StandInStack(this.args, provider);
    stack.disc = this.disc;
    stack.replaced.push(...this.replaced);
    return stack;
  }

  /** Takes over what another operation on the same stack has stored. */
  adopt({ disc, replaced }: StandInStack): void {
    this.disc = disc;
    this.replaced.splice(0, this.replaced.length, ...replaced);
  }

  /** `pulumi up`. */
  async up(): Promise<void> {
    if (!this.disc) await this.#create();
    else await this.#updateOrReplace(this.disc);
    await this.#deleteReplaced();
  }

  /** `pulumi refresh`. */
  async refresh(): Promise<void> {
    if (!this.disc) return;
    const { id, props } = await this.provider.read(this.disc.id, this.disc.outputs);
    this.disc = id && props ? { id, outputs: props, hasFailed: false } : undefined;
  }

  /** `pulumi destroy`. */
  async destroy(): Promise<void> {
    await this.#deleteReplaced();
    if (!this.disc) return;
    await this.provider.delete(this.disc.id, this.disc.outputs);
    this.disc = undefined;
  }

  /** An update in place with the arguments as they are. */
  async update(): Promise<void> {
    if (this.disc) await this.#update(this.disc, await this.#check(this.disc.outputs));
  }

  async #updateOrReplace(disc: StoredDisc): Promise<void> {
    const inputs = await this.#check(disc.outputs);
    const { changes, replaces = [] } = await this.provider.diff(disc.id, disc.outputs, inputs);
    if (replaces.length > 0) {
      await this.#create();
      this.replaced.push(disc);
    } else if (changes || disc.hasFailed) await this.#update(disc, inputs);
  }

  async #update(disc: StoredDisc, inputs: TempIsoInputs): Promise<void> {
    const { outs } = await this.provider.update(disc.id, disc.outputs, inputs);
    this.disc = { id: disc.id, outputs: outs ?? disc.outputs, hasFailed: false };
  }

  async #create(): Promise<void> {
    const inputs = await this.#check({});
    try {
      const { id, outs } = await this.provider.create(inputs);
      if (!outs) throw new TypeError("The create returned no outputs.");
      this.disc = { id, outputs: outs, hasFailed: false };
    } catch (error) {
      if (isCreatedButFailed(error)) {
        if (this.disc) this.replaced.push(this.disc);
        this.disc = { id: error.id, outputs: error.properties, hasFailed: true };
      }
      throw error;
    }
  }

  async #deleteReplaced(): Promise<void> {
    for (const disc of [...this.replaced]) {
      await this.provider.delete(disc.id, disc.outputs);
      this.replaced.splice(this.replaced.indexOf(disc), 1);
    }
  }

  async #check(olds: object): Promise<TempIsoInputs> {
    const { inputs, failures = [] } = await this.provider.check({ ...olds }, { ...this.args });
    if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("\n"));
    return inputs as TempIsoInputs;
  }
}

function isCreatedButFailed(error: unknown): error is { id: string; properties: TempIsoState } {
  return error instanceof Error && "id" in error && "properties" in error;
}
