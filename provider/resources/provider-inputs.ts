import * as pulumi from "@pulumi/pulumi";
import { type ConnectionArgs, withSecrets } from "./connection";

/** The type token of a resource: `pulumi-nodejs:dynamic/<module>:<name>`. */
interface ResourceType {
  readonly module: string;
  readonly name: string;
}

/**
 * What a resource of this package gives its provider: its arguments with their secrets marked, its own URN, and
 * its outputs, which exist on the class only if they are named here.
 */
export function providerInputs<
  Args extends { connection?: pulumi.Input<ConnectionArgs | undefined> | undefined },
>(
  name: string,
  args: Args,
  {
    type,
    outputs = [],
    opts,
  }: {
    type: ResourceType;
    outputs?: readonly string[];
    opts: pulumi.CustomResourceOptions | undefined;
  },
) {
  return {
    ...Object.fromEntries(outputs.map((output) => [output, undefined])),
    ...args,
    connection: withSecrets(args.connection),
    owner: pulumi.createUrn(name, `pulumi-nodejs:dynamic/${type.module}:${type.name}`, opts?.parent),
  };
}
