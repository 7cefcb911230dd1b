import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "./connection";
import { providerInputs } from "./provider-inputs";

/** The arguments of a {@link XenIsoAttachment}. */
export interface XenIsoAttachmentArgs {
  /** UUID of the VM, as `xe vm-list` prints it. */
  vmUuid: pulumi.Input<string>;
  /** UUID of the disc: of a `XenTempIso`, or of any other ISO that the VM's host has. */
  vdiUuid: pulumi.Input<string>;
  /**
   * The slot of the drive, as text: `"3"`. Default: the VM's CD drive that already holds the disc, or that is
   * empty; a halted VM without one gets one.
   */
  device?: pulumi.Input<string | undefined> | undefined;
  /** Takes out a disc that is in the way, and puts it back on delete. Default false: that disc is an error. */
  replaceMedia?: pulumi.Input<boolean | undefined> | undefined;
  /** Does not insert the disc again after it was taken out. Default false. */
  once?: pulumi.Input<boolean | undefined> | undefined;
  /**
   * How to reach the host, any member of the VM's pool. Fields that are left out come from the stack's
   * configuration.
   */
  connection?: pulumi.Input<ConnectionArgs | undefined> | undefined;
}

const TYPE = { token: "pulumi-nodejs:dynamic/xen:IsoAttachment", provider: "isoAttachment" } as const;

/**
 * A disc in the CD drive of a VM: inserted at create, exchanged in place when `vdiUuid` changes, ejected at
 * delete. The VM stays as it is.
 *
 * ```ts
 * new XenIsoAttachment("web-1-cd", { connection, vmUuid: vm.id, vdiUuid: seed.vdiUuid });
 * ```
 */
export class XenIsoAttachment extends pulumi.CustomResource {
  declare readonly vmUuid: pulumi.Output<string>;
  /**
   * UUID of the disc in the drive; after a refresh, of the disc that was found there, empty if there was none.
   */
  declare readonly vdiUuid: pulumi.Output<string>;
  /** UUID of the drive; the resource's `id` is `<vmUuid>/<vbdUuid>`. */
  declare readonly vbdUuid: pulumi.Output<string>;
  /** The slot of the drive: `"3"`. */
  declare readonly device: pulumi.Output<string>;
  /** Whether the attachment made the drive, and will remove it. */
  declare readonly driveCreated: pulumi.Output<boolean>;
  /** Name or address at which the host was reached. */
  declare readonly host: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  declare readonly user: pulumi.Output<string>;
  /** The public key that the host proved to own: `ssh-ed25519 AAAA…`. */
  declare readonly hostKey: pulumi.Output<string>;

  /**
   * @param name of the resource
   * @throws nothing: what is wrong with the arguments is reported at preview
   */
  constructor(name: string, args: XenIsoAttachmentArgs, opts?: pulumi.CustomResourceOptions) {
    super(TYPE.token, name, providerInputs(name, args, { type: TYPE, outputs: OUTPUTS, opts }), opts);
  }
}

const OUTPUTS = ["vbdUuid", "device", "driveCreated", "host", "port", "user", "hostKey"];
