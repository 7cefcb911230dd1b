import type { CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic";
import { isoAttachment, isoRelease, tempIso } from "../lifecycle/provider";
import type { Properties } from "./values";

/** The life of a resource, as both doors use it; plain values in and out. */
export interface ResourceLife {
  check(olds: Properties, news: Properties): Promise<CheckResult<Properties>>;
  diff(id: string, olds: Properties, news: Properties): Promise<DiffResult>;
  create(inputs: Properties): Promise<CreateResult>;
  read(id: string, state: Properties): Promise<ReadResult>;
  update(id: string, olds: Properties, news: Properties): Promise<UpdateResult>;
  delete(id: string, state: Properties): Promise<void>;
  /** What of the outputs of a create is known without the host. */
  preview(inputs: Properties): Promise<Properties>;
  /** Reads a resource that no state knows: its outputs and its inputs. */
  import?(id: string): Promise<{ props: Properties; inputs: Properties } | undefined>;
}

const RESOURCES = {
  "xen:index:TempIso": tempIso,
  "xen:index:IsoAttachment": isoAttachment,
  "xen:index:IsoRelease": isoRelease,
};

/** Parts of the inputs that a program does not give: a dynamic resource has them, a state moved from one too. */
const NOT_OF_PROGRAM = ["owner", "__provider"];

/** The type's own token; in a URN the types of the parents come first. */
export function tokenOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/**
 * The life of the resource's type.
 *
 * @throws Error for a type of another package
 */
export function lifeOf(urn: string): ResourceLife {
  const token = tokenOf(urn);
  const life = (RESOURCES as unknown as Readonly<Record<string, ResourceLife>>)[token];
  if (!life) throw new Error(`${token} is not a resource of this provider.`);
  return life;
}

/** Inputs as a dynamic resource has them: the class adds the URN there. */
export function withOwner(inputs: Properties, urn: string): Properties {
  return { ...inputs, owner: urn };
}

/** Inputs as they are stored: without the URN, which the outputs have. */
export function withoutOwner(inputs: Properties): Properties {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !NOT_OF_PROGRAM.includes(name)));
}
