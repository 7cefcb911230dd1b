import type * as Published from "../provider";

/** The exports of `pulumi-xen-iso/provider`. */
export type ProviderName = keyof typeof Published;

/**
 * A provider as it stands in the state of every resource, among its inputs and among its outputs: a module whose
 * `handler` returns it. This one does nothing but require the rest, so that it stays small and does not change
 * when the implementation does.
 *
 * `dynamic.Resource` makes such a module of the closures it is given: 2.2 KB of wrapping in place of these 70 bytes,
 * in a state that the engine writes anew at each step of each resource. For that it loads the TypeScript compiler
 * into the program, and asks v8's inspector, which Bun has not (pulumi/pulumi#22035).
 *
 * `require` here is that of the process which hosts dynamic providers; it searches from the program's folder.
 *
 * @see pulumi/pulumi: sdk/nodejs/cmd/dynamic-provider/index.ts, `getProvider`
 */
export function serialised(provider: ProviderName): string {
  return `exports.handler = () => require("pulumi-xen-iso/provider").${provider};\n`;
}
