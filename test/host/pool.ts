import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import type { SimulatedHost, SimulatedPool } from "../simulator";
import { argumentsFor, checked, createDisc, readDisc } from "./resource";

/** What `leftovers` returns of a pool without discs. */
export const nothing = { srs: [], pbds: [], vdis: [], paths: [] };

/** Each host has a key and, on some systems, a port of its own. */
export const hostConnectionsOf = ({ hosts }: SimulatedPool) =>
  Object.fromEntries(hosts.map(({ name, connection: { port, hostKey } }) => [name, { port, hostKey }]));

/** The arguments of a disc for a whole pool. */
export function poolArguments(
  pool: SimulatedPool,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return argumentsFor(pool.coordinator, {
    poolWide: true,
    hostConnections: hostConnectionsOf(pool),
    ...more,
  });
}

/** What the engine does for a new disc of a whole pool. */
export const createPoolDisc = (
  pool: SimulatedPool,
  more: Record<string, unknown> = {},
): Promise<TempIsoState> => createDisc(poolArguments(pool, more));

/** The hosts of a pool of three. */
export function threeOf(pool: SimulatedPool): [SimulatedHost, SimulatedHost, SimulatedHost] {
  const [first, second, third] = pool.hosts;
  if (!first || !second || !third) throw new Error("The pool was to have three hosts.");
  return [first, second, third];
}

/** The state after a refresh. */
export async function refreshed(state: TempIsoState): Promise<TempIsoState> {
  const { props } = await readDisc(state);
  if (!props) throw new Error("The disc is gone.");
  return props;
}

/** What an up makes of a state that is not replaced. */
export async function updated(state: TempIsoState, args: Record<string, unknown>): Promise<TempIsoState> {
  const news = (await checked(args, { ...state })) as never;
  const { changes, replaces = [] } = await tempIso.diff("", state, news);
  if (!changes || replaces.length > 0)
    throw new Error(`Not an update: replaces ${replaces.join() || "nothing"}.`);
  const { outs } = await tempIso.update("", state, news);
  if (!outs) throw new Error("The update returned no outputs.");
  return outs;
}

/** UUIDs of the hosts that have an SR attached. */
export const pluggedHosts = (pool: SimulatedPool) =>
  pool.xapi.pbds.filter((pbd) => pbd.currentlyAttached).map((pbd) => pbd.hostUuid);
