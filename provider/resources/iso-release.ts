import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "./connection";
import { providerInputs } from "./provider-inputs";

/** The arguments of a {@link XenIsoRelease}. */
export interface XenIsoReleaseArgs {
  /** UUID of the SR of a `XenTempIso` with `once: true`. */
  srUuid: pulumi.Input<string>;
  /**
   * What the release waits for: the VM's address, or the output of a command that ran on the VM. The value is
   * ignored, and not stored. `dependsOn` does the same for resources.
   */
  after?: pulumi.Input<unknown>;
  /** How to reach the host that has the disc. Fields that are left out come from the stack's configuration. */
  connection?: pulumi.Input<ConnectionArgs | undefined> | undefined;
  /** As in a `XenTempIso` with `poolWide`: fields of `connection` that differ for single hosts. */
  hostConnections?: pulumi.Input<Record<string, pulumi.Input<ConnectionArgs>> | undefined> | undefined;
}

const TYPE = { token: "pulumi-nodejs:dynamic/xen:IsoRelease", provider: "isoRelease" } as const;

/**
 * Ends the life of a `XenTempIso` in the same `pulumi up` that used it: the disc is ejected everywhere, its SR
 * forgotten, its file and folder removed. A new `srUuid` releases that one; to destroy a release does nothing.
 *
 * ```ts
 * const seed = new XenTempIso("web-1-seed", { isoPath, once: true });
 * // … a VM that has the disc in its drive …
 * new XenIsoRelease("web-1-release", { srUuid: seed.srUuid, after: vm.ipv4Addresses });
 * ```
 */
export class XenIsoRelease extends pulumi.CustomResource {
  /** UUID of the SR that was released; also the resource's `id`. */
  declare readonly srUuid: pulumi.Output<string>;

  /**
   * @param name of the resource
   * @throws nothing: what is wrong with the arguments is reported at preview; an SR that no `XenTempIso` has made
   * is refused at create
   */
  constructor(name: string, args: XenIsoReleaseArgs, opts?: pulumi.CustomResourceOptions) {
    super(TYPE.token, name, providerInputs(name, args, { type: TYPE, opts }), opts);
  }
}
