import type { CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic";
import { nameOf } from "../lifecycle/inputs";
import { isoAttachment, isoRelease, tempIso } from "../lifecycle/provider";
import type { Properties } from "./values";

/** The lifecycle of a resource, as both the dynamic provider and the plugin use it: plain values in and out. */
export interface ResourceLife {
  check(olds: Properties, news: Properties): Promise<CheckResult<Properties>>;
  diff(id: string, olds: Properties, news: Properties): Promise<DiffResult>;
  create(inputs: Properties): Promise<CreateResult>;
  read(id: string, state: Properties): Promise<ReadResult>;
  update(id: string, olds: Properties, news: Properties): Promise<UpdateResult>;
  delete(id: string, state: Properties): Promise<void>;
  /** The outputs that are known before the create. */
  preview(inputs: Properties): Promise<Properties>;
  /** Imports a resource: reads its outputs and its inputs from the host. */
  import?(id: string): Promise<{ props: Properties; inputs: Properties } | undefined>;
}

const RESOURCES = {
  "xen:index:TempIso": tempIso,
  "xen:index:IsoAttachment": isoAttachment,
  "xen:index:IsoRelease": isoRelease,
};

/**
 * Inputs that a program does not set. A dynamic resource has them, and so has a state that was moved from one.
 */
const NOT_OF_PROGRAM = ["owner", "organization", "__provider"];

/** The type's own token. In a URN the types of the parents precede it. */
export function tokenOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/**
 * The name of an explicit provider. The engine makes the default one, and begins its name with `default`.
 *
 * @see pulumi/pulumi: sdk/go/common/providers/reference.go, `IsDefaultProvider`
 */
export function explicitProviderOf(urn: string): string | undefined {
  const name = nameOf(urn);
  return name === "" || name.startsWith("default") ? undefined : name;
}

/**
 * The lifecycle of the resource's type.
 *
 * @throws Error for a type of another package
 */
export function lifeOf(urn: string): ResourceLife {
  const token = tokenOf(urn);
  const life = (RESOURCES as unknown as Readonly<Record<string, ResourceLife>>)[token];
  if (!life) throw new Error(`${token} is not a resource of this provider.`);
  return life;
}

/** Inputs in the form of a dynamic resource, whose class adds the URN. */
export function withOwner(inputs: Properties, urn: string): Properties {
  return { ...inputs, owner: urn };
}

/** Inputs as they are stored: without the URN, which the outputs have. */
export function withoutOwner(inputs: Properties): Properties {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !NOT_OF_PROGRAM.includes(name)));
}
