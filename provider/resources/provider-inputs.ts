import * as pulumi from "@pulumi/pulumi";
import { type ProviderName, serialised } from "../lifecycle/serialised";
import { assertProgramResolves } from "./assert-resolvable";
import { type ConnectionArgs, eachWithSecrets, withSecrets } from "./connection";

/** A kind of resource: its type token, and the name of its provider in `pulumi-xen-iso/provider`. */
interface ResourceType {
  readonly token: `pulumi-nodejs:dynamic/xen:${string}`;
  readonly provider: ProviderName;
}

/** The arguments that say how to reach hosts. */
interface Connections {
  connection?: pulumi.Input<ConnectionArgs | undefined> | undefined;
  hostConnections?: pulumi.Input<Record<string, pulumi.Input<ConnectionArgs>> | undefined> | undefined;
}

/**
 * What a resource of this package passes to the engine: its provider, its arguments with their secrets marked, its
 * URN, and its outputs, which exist on the class only if they are named here.
 *
 * @throws RunError when the provider would not be found
 */
export function providerInputs(
  name: string,
  // A program in JavaScript may omit the arguments: check reports at preview what is missing.
  args: Connections | undefined,
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
  assertProgramResolves();
  return {
    ...Object.fromEntries(outputs.map((output) => [output, undefined])),
    ...args,
    connection: withSecrets(args?.connection),
    ...(args?.hostConnections !== undefined && { hostConnections: eachWithSecrets(args.hostConnections) }),
    owner: pulumi.createUrn(name, type.token, opts?.parent),
    __provider: serialised(type.provider),
  };
}
