import { configure, tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import type { SimulatedHost } from "../simulator";
import { imageBytes, writeTemporary } from "../unit/image";

/** The arguments of a disc on a host, as the class passes them on. */
export function argumentsFor(
  host: SimulatedHost,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const { host: name, port, user, password, hostKey } = host.connection;
  return {
    isoPath: writeTemporary(imageBytes("#cloud-config")),
    owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
    connection: { host: name, port, user, password, hostKey, dialErrorLimit: 3 },
    ...more,
  };
}

/** What the engine does for a new resource: check, then create. */
export async function createDisc(args: Record<string, unknown>): Promise<TempIsoState> {
  const { outs } = await tempIso.create((await checked(args)) as never);
  if (!outs) throw new Error("The create returned no outputs.");
  return outs;
}

/** The inputs that check makes of the arguments. */
export async function checked(
  args: Record<string, unknown>,
  olds: Record<string, unknown> = {},
): Promise<object> {
  const { inputs, failures } = await tempIso.check(olds, args);
  if (failures?.length) throw new Error(failures.map(({ reason }) => reason).join("\n"));
  return inputs as object;
}

export const deleteDisc = (state: TempIsoState) => tempIso.delete(state.srUuid ?? "", state);

export const readDisc = (state: TempIsoState) => tempIso.read(state.srUuid ?? "", state);

/** Sets what the stack's configuration holds. */
export async function setConfiguration(values: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const get = (key: string) => values[key] as string;
  await configure({ config: { get, require: get } });
}
