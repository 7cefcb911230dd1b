import * as pulumi from "@pulumi/pulumi";
import { cloudInitFilesOf } from "../iso/cloud-init";
import { neonInitFilesOf } from "../iso/neon-init";

/** A user for cloud-init to create. For other fields, set `userData: { users: […] }`. */
export interface CloudInitUserArgs {
  name: pulumi.Input<string>;
  /** Public keys, each `ssh-ed25519 AAAA… comment`. */
  sshAuthorizedKeys?: pulumi.Input<pulumi.Input<string>[] | undefined> | undefined;
  /** As `mkpasswd --method=sha-512` prints it: `$6$…`. Without it the user cannot log in with a password. */
  passwordHash?: pulumi.Input<string | undefined> | undefined;
  groups?: pulumi.Input<pulumi.Input<string>[] | undefined> | undefined;
  /** A rule of sudoers: `ALL=(ALL) NOPASSWD:ALL`. Without it the user cannot run sudo. */
  sudo?: pulumi.Input<string | undefined> | undefined;
  /** Default: the system's. */
  shell?: pulumi.Input<string | undefined> | undefined;
}

/** The arguments of {@link cloudInit}, all optional. */
export interface CloudInitArgs {
  /** Short, or with a domain. */
  hostname?: pulumi.Input<string | undefined> | undefined;
  /**
   * Created in addition to the image's own user.
   *
   * @remarks The image's own user can be listed as `"default"`; else it is the first.
   */
  users?: pulumi.Input<pulumi.Input<CloudInitUserArgs | "default">[] | undefined> | undefined;
  /** Public keys that may log in as the image's own user (`debian`, `ubuntu`). */
  sshAuthorizedKeys?: pulumi.Input<pulumi.Input<string>[] | undefined> | undefined;
  /**
   * Version 2 of cloud-init's network configuration, that is what netplan has below `network:`; or YAML text of any
   * version, used as it is. Without it cloud-init asks a DHCP server. For the default route write
   * `to: "0.0.0.0/0"`: cloud-init 22 (Debian 12) does not know `to: default`.
   *
   * @see https://cloudinit.readthedocs.io/en/latest/reference/network-config-format-v2.html
   */
  network?: pulumi.Input<string | pulumi.Inputs | undefined> | undefined;
  /**
   * More cloud-config (`packages`, `write_files`, `runcmd`), whose keys override those made from other arguments;
   * or text that is used as it is, such as a script.
   *
   * @see https://cloudinit.readthedocs.io/en/latest/reference/modules.html
   */
  userData?: pulumi.Input<string | pulumi.Inputs | undefined> | undefined;
  /** The same for `vendor-data`, which `user-data` overrides. */
  vendorData?: pulumi.Input<string | pulumi.Inputs | undefined> | undefined;
}

/**
 * The files that cloud-init's NoCloud reads, for `files` of a `XenTempIso`. (An interface would not fit a
 * record there.)
 */
export type CloudInitFiles = {
  "meta-data": pulumi.Output<string>;
  "user-data": pulumi.Output<string>;
  "network-config"?: pulumi.Output<string | undefined>;
  "vendor-data"?: pulumi.Output<string | undefined>;
};

/**
 * The files of a disc for cloud-init's NoCloud; its label is the default of a `XenTempIso`. A file is a secret, or
 * waits for another resource, if a value in it does. `meta-data` does if any of the others does, because its
 * `instance-id` is derived from their content: with other content the guest is a new instance, on which cloud-init
 * runs again.
 *
 * ```ts
 * const seed = new XenTempIso("web-1-seed", {
 *   files: cloudInit({ hostname: "web-1", sshAuthorizedKeys: ["ssh-ed25519 AAAA…"], userData: { packages: ["nginx"] } }),
 * });
 * ```
 *
 * @throws TypeError for an unknown argument. As the rejection of an output: for an unknown field or another type,
 *   when `userData` is text beside `users` or `sshAuthorizedKeys`, a `passwordHash` is not a hash, or a `network`
 *   object has another version
 * @see https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
 */
export function cloudInit(args: CloudInitArgs): CloudInitFiles {
  return cloudInitFilesOf(args, (values, textOf) =>
    // A file that is always there has text.
    pulumi.output(values).apply((known) => textOf(known as never) as string),
  );
}

/**
 * The file of a disc for neonKUBE's node images: their `neon-init` service runs it at the first boot, with bash as
 * root, before the network is up. Its first argument is the folder where the disc is mounted. Windows line endings
 * become Linux ones.
 *
 * ```ts
 * const disc = new XenTempIso("node-1-init", { files: neonInit("#!/bin/bash\nhostnamectl set-hostname node-1\n") });
 * ```
 *
 * @see nforgeio/neonKUBE: `BaseInstallNeonInit`, `CreateNeonInitIso`
 */
export function neonInit(script: pulumi.Input<string>): { "neon-init.sh": pulumi.Output<string> } {
  return neonInitFilesOf((toUnix) => pulumi.output(script).apply(toUnix));
}
