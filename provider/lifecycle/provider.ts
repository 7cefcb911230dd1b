/**
 * What the serialised providers in every state require by this path, `pulumi-xen-iso/provider`: a promise from
 * 0.1.0 on. A state that an old release wrote calls these functions of the installed one.
 *
 * @packageDocumentation
 */
import type {
  CheckResult,
  ConfigureRequest,
  CreateResult,
  DiffResult,
  ReadResult,
  UpdateResult,
} from "@pulumi/pulumi/dynamic";
import * as connection from "./connection";
import { atEngine } from "./engine-error";
import { watchEngine } from "./engine-watch";
import { checkTempIso, type TempIsoInputs } from "./inputs";
import * as lifecycle from "./temp-iso";
import type { TempIsoState } from "./temp-iso";

/** Takes the stack's configuration; done when it returns, because the host does not wait for it. */
export function configure({ config }: ConfigureRequest): Promise<void> {
  connection.configure(config);
  watchEngine();
  return Promise.resolve();
}

/** The life of a `XenTempIso`. */
export const tempIso = {
  check: (olds: Record<string, unknown>, news: Record<string, unknown>): Promise<CheckResult> =>
    atEngine(() => checkTempIso(olds, news)),
  diff: (_id: string, olds: TempIsoState, news: TempIsoInputs): Promise<DiffResult> =>
    atEngine(() => lifecycle.diff(olds, news)),
  create: (inputs: TempIsoInputs): Promise<CreateResult<TempIsoState>> =>
    atEngine(() => lifecycle.create(inputs), inputs.owner),
  read: (id: string, state: TempIsoState): Promise<ReadResult<TempIsoState>> =>
    atEngine(() => lifecycle.read(id, state), state.owner),
  update: (_id: string, olds: TempIsoState, news: TempIsoInputs): Promise<UpdateResult<TempIsoState>> =>
    atEngine(() => lifecycle.update(olds, news), news.owner),
  delete: (_id: string, state: TempIsoState): Promise<void> =>
    atEngine(() => lifecycle.remove(state), state.owner),
};
