import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import type { SimulatedHost, SimulatedPool } from "../simulator";
import { argumentsFor, createDisc } from "./resource";

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
