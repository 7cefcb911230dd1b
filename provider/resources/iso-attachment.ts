import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "./connection";
import { providerInputs } from "./provider-inputs";

/** The arguments of a {@link XenIsoAttachment}. */
export interface XenIsoAttachmentArgs {
  /** UUID of the VM, as `xe vm-list` prints it. */
  vmUuid: pulumi.Input<string>;
  /** UUID of the disc: that of a `XenTempIso`, or of any other ISO that the VM's host sees. */
  vdiUuid: pulumi.Input<string>;
  /**
   * Number of the drive's slot, as text: `"3"`. Default: the CD drive of the VM that holds the disc already, or
   * that is empty; where a halted VM has none it gets one.
   */
  device?: pulumi.Input<string | undefined> | undefined;
  /** Takes out a disc that is in the way, and puts it back on delete. Default false: then it is an error. */
  replaceMedia?: pulumi.Input<boolean | undefined> | undefined;
  /** That the disc was taken out later is no reason to insert it again. Default false. */
  once?: pulumi.Input<boolean | undefined> | undefined;
  /** How to reach the host, any member of the VM's pool; what is not given comes from the stack's configuration. */
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
  /** UUID of the disc in the drive; after a refresh of that which was found there, empty when there was none. */
  declare readonly vdiUuid: pulumi.Output<string>;
  /** UUID of the drive; the resource's `id` is `<vmUuid>/<vbdUuid>`. */
  declare readonly vbdUuid: pulumi.Output<string>;
  /** Number of its slot: `"3"`. */
  declare readonly device: pulumi.Output<string>;
  /** Whether the drive was made for the disc, and goes with it. */
  declare readonly driveCreated: pulumi.Output<boolean>;
  /** As it was reached: name or address. */
  declare readonly host: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  declare readonly user: pulumi.Output<string>;
  /** The key that the host proved to have: `ssh-ed25519 AAAA…`. */
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
