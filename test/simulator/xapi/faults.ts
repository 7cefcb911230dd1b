import type { Arguments } from "./arguments";
import type { Ref } from "./errors";

/** Something that is to go wrong; push it to `xapi.faults`. */
export interface Fault {
  /** The `xe` command that it befalls: `sr-create`. */
  readonly command: string;
  /** Which calls of it; all by default. */
  readonly when?: (args: Arguments) => boolean;
  /** How many matching calls pass unharmed first (0). */
  readonly skip?: number;
  /** How many calls it befalls then (1). */
  readonly times?: number;
  readonly effect: FaultEffect;
}

type FailsWhen = "before" | "meanwhile" | "after";

/** What happens to a call. */
export type FaultEffect =
  /**
   * It fails with this error: before it has done anything (the default), once it is done, or `meanwhile`, at once
   * while it is carried out all the same, as when the link between coordinator and member breaks.
   */
  | {
      readonly kind: "fail";
      readonly code: string;
      readonly params?: readonly (string | Ref)[];
      readonly when?: FailsWhen;
    }
  /** The same, with words that `xe` itself prints: `Unable to contact server.` */
  | { readonly kind: "say"; readonly words: string; readonly when?: FailsWhen }
  /** It takes so much longer: to begin (the default), or to be answered once it is done. */
  | { readonly kind: "delay"; readonly ms: number; readonly when?: "before" | "after" }
  /** The reply is lost (`Lost connection to the server.`); unless said otherwise, after it has been done. */
  | { readonly kind: "loseReply"; readonly when?: "before" | "after" }
  /** It is never answered, whether or not it has been done. */
  | { readonly kind: "hang"; readonly when: "before" | "after" }
  /** sr-create: the PBD is left unplugged, of a shared SR that of one host or all, with exit status 0. */
  | { readonly kind: "plugFails"; readonly hostUuid?: string }
  /** sr-create: scans do not find the disc before so many of them, or so much time, have passed. */
  | { readonly kind: "vdiLate"; readonly scans?: number; readonly ms?: number }
  /** The toolstack dies in the midst of sr-create, and is back after a while. */
  | {
      readonly kind: "crash";
      /** What its database has then. An unplugged SR is plugged when the toolstack is back. */
      readonly leaves: "nothing" | "srWithoutPbd" | "unpluggedSr";
      readonly downMs: number;
    };

/** Finds which fault befalls a call, and counts it. */
export class FaultList extends Array<Fault> {
  readonly #seen = new WeakMap<Fault, number>();

  /** The first fault in the list whose turn it is. */
  take(args: Arguments): FaultEffect | undefined {
    const matching = this.filter(({ command, when }) => command === args.command && (when?.(args) ?? true));
    const due = matching.filter((fault) => {
      const before = this.#seen.get(fault) ?? 0;
      this.#seen.set(fault, before + 1);
      const { skip = 0, times = 1 } = fault;
      return before >= skip && before < skip + times;
    });
    return due[0]?.effect;
  }

  // What filter and map make is a plain array.
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}
