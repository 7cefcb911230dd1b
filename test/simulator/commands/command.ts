import type { Arguments } from "../xapi/arguments";
import type { FaultEffect } from "../xapi/faults";
import type { Output } from "../xapi/print";
import type { HostRecord } from "../xapi/records";
import type { Xapi } from "../xapi/xapi";

/** What a command has at hand. */
export interface CommandContext {
  readonly xapi: Xapi;
  readonly args: Arguments;
  /** The host whose xapi was asked. */
  readonly host: HostRecord;
  /** What is to go wrong in its midst. */
  readonly fault: FaultEffect | undefined;
}

/** A command of `xe`. */
export interface Command {
  /** Parameters it cannot do without, checked before anything else. */
  readonly required: readonly string[];
  run(context: CommandContext): Output | Promise<Output>;
}

/** A command by its required parameters and what it does. */
export const command = (required: readonly string[], run: Command["run"]): Command => ({ required, run });
