import * as pulumi from "@pulumi/pulumi";
import type { TempIsoStatus } from "../lifecycle/temp-iso-status";
import type { ConnectionArgs } from "./connection";
import { providerInputs } from "./provider-inputs";

/**
 * The content of one file: text, bytes in base64, or a local file, relative to the program's folder. A `StringAsset` or
 * `FileAsset` means the same. Or a file at an `https` or `http` URL, which is downloaded when
 * the disc is made: `checksum` is `sha256:<hex>`, `sha512:<hex>` or the URL of a list; without it, the server's ETag or
 * Last-Modified tells whether it changed. A file that is undefined is not on the disc.
 */
export type IsoFileInput = pulumi.Input<
  | string
  | { base64: pulumi.Input<string> }
  | { path: pulumi.Input<string> }
  | { url: pulumi.Input<string>; checksum?: pulumi.Input<string | undefined> | undefined }
  | pulumi.asset.StringAsset
  | pulumi.asset.FileAsset
  | pulumi.asset.RemoteAsset
  | undefined
>;

/** Where the image comes from: a {@link XenTempIso} takes exactly one of these. */
export interface ImageSources {
  /**
   * A local ISO 9660 or UDF image, relative to the program's folder. If it is compressed with gzip, xz, zstd or
   * bzip2, it is decompressed while it is sent.
   */
  isoPath: pulumi.Input<string | undefined> | undefined;
  /**
   * An image at an `https` or `http` URL, compressed or not. It is streamed to the host, and never stored on
   * the local disk (but with `poolWide`, in a temporary file). Uses the proxies of `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`. Without `isoChecksum`, the
   * server's ETag or Last-Modified shows whether it changed.
   */
  isoUrl: pulumi.Input<string | undefined> | undefined;
  /**
   * The files of the disc, by path on the disc. The image is built from them: ISO 9660 with Rock Ridge and
   * Joliet. The same files make the same bytes. A secret stays a secret in the state. A `FileArchive` of a
   * folder puts all its files on the disc, an `AssetArchive` those that it names.
   */
  files:
    | pulumi.Input<
        Record<string, IsoFileInput> | pulumi.asset.FileArchive | pulumi.asset.AssetArchive | undefined
      >
    | undefined;
}

/** One property of `Choices`, without the others. */
type ExactlyOne<Choices> = {
  [Choice in keyof Choices]: Pick<Choices, Choice> & {
    [Other in Exclude<keyof Choices, Choice>]?: undefined;
  };
}[keyof Choices];

/** The arguments of a {@link XenTempIso}: exactly one of `isoPath`, `isoUrl` and `files`, and any of the others. */
export type XenTempIsoArgs = ExactlyOne<ImageSources> & XenTempIsoOptions;

/** The arguments of a {@link XenTempIso} besides the image itself. */
export interface XenTempIsoOptions {
  /**
   * The checksum of the file at `isoPath` or `isoUrl`, or of the image in it: `sha256:<hex>`, `sha512:<hex>`,
   * or the URL of a list such as `SHA256SUMS`, in the form of `sha256sum` or of BSD. Signatures are not
   * verified.
   */
  isoChecksum?: pulumi.Input<string | undefined> | undefined;
  /** Sent with the requests for `isoUrl`, to its server only. The values are always kept as secrets. */
  headers?: pulumi.Input<Record<string, pulumi.Input<string>> | undefined> | undefined;
  /**
   * The host downloads `isoUrl` itself with its own `curl`, over its own route, and decompresses it with its
   * own tools. Requires `isoChecksum`. Default false.
   */
  downloadOnHost?: pulumi.Input<boolean | undefined> | undefined;
  /**
   * The label of an image built from `files`, at most 32 characters, of which Joliet (Windows) shows 16.
   * Default `cidata`, the label that cloud-init's NoCloud looks for.
   */
  volumeLabel?: pulumi.Input<string | undefined> | undefined;
  /** The SR's `name-label`. Default: `<resource name>-<8 hex>`, chosen at create. */
  srName?: pulumi.Input<string | undefined> | undefined;
  /**
   * File name on the host, and the VDI's `name-label`: printable ASCII without `/` and `=`, ending in `.iso`.
   * Default: `<resource name>-<uuid>.iso`, chosen at create.
   */
  isoName?: pulumi.Input<string | undefined> | undefined;
  /**
   * Absolute path on the host of the folder in which the SR gets its own folder. It is created if missing, and
   * never removed. Default `/var/opt/xen-iso`, on disk. `/var/run/sr-mount` uses the host's memory, and is
   * empty after a reboot.
   */
  srMountPath?: pulumi.Input<string | undefined> | undefined;
  /**
   * The disc serves one boot: after it was released (`XenIsoRelease`) or is gone, it is not made again. Default
   * false. The next up stores a change.
   */
  once?: pulumi.Input<boolean | undefined> | undefined;
  /**
   * Puts the image on every host of the pool that `connection` belongs to, as one disc: its VM starts on any of
   * them, and migrates with it. The hosts are reached at the addresses that the pool knows, with the
   * credentials of `connection`. Default false; changing it replaces the disc.
   */
  poolWide?: pulumi.Input<boolean | undefined> | undefined;
  /**
   * With `poolWide`: fields of `connection` that differ for single hosts, by the host's `name-label` or address.
   * Passwords and keys are always kept as secrets.
   */
  hostConnections?: pulumi.Input<Record<string, pulumi.Input<ConnectionArgs>> | undefined> | undefined;
  /**
   * With `poolWide`: skips hosts that are disabled or offline, with a warning. Default false: they are an
   * error. When such a host is back, the next `pulumi up --refresh` copies the disc to it.
   */
  skipOfflineHosts?: pulumi.Input<boolean | undefined> | undefined;
  /** How to reach the host. Fields that are left out come from the stack's configuration. */
  connection?: pulumi.Input<ConnectionArgs | undefined> | undefined;
}

/** A host that has a pool-wide disc. */
export interface PoolHost {
  /** INSTALLATION_UUID. */
  readonly uuid: string;
  /** `name-label`. */
  readonly name: string;
  readonly address: string;
  /** UUID of the SR's PBD on this host; unknown while the disc is `incomplete`. */
  readonly pbdUuid?: string;
  /** The public key that the host proved to own: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

const TYPE = { token: "pulumi-nodejs:dynamic/xen:TempIso", provider: "tempIso" } as const;

/**
 * An ISO image on a XenServer / XCP-ng host, as a storage repository of its own, for a virtual machine's first
 * boot: it is uploaded at create, and at delete it is ejected everywhere and removed with all that was made
 * for it.
 *
 * ```ts
 * const seed = new XenTempIso("web-1-seed", {
 *   connection: { host: "xen1.example.net", password },
 *   files: { "user-data": "#cloud-config\n", "meta-data": "local-hostname: web-1\n" },
 * });
 * ```
 */
export class XenTempIso extends pulumi.CustomResource {
  /** UUID of the SR; also the resource's `id`. */
  declare readonly srUuid: pulumi.Output<string>;
  /** UUID of the SR's PBD on that host. */
  declare readonly pbdUuid: pulumi.Output<string>;
  /** UUID of the disc, to insert into a VM's CD drive. */
  declare readonly vdiUuid: pulumi.Output<string>;
  /** File name on the host, and the VDI's `name-label`. */
  declare readonly isoName: pulumi.Output<string>;
  /** The SR's `name-label`. */
  declare readonly srName: pulumi.Output<string>;
  /** Absolute folder on the host that holds the image. */
  declare readonly srPath: pulumi.Output<string>;
  /** Absolute folder on the host that holds {@link srPath}. */
  declare readonly srMountPath: pulumi.Output<string>;
  /** INSTALLATION_UUID of the host. */
  declare readonly hostUuid: pulumi.Output<string>;
  /** SHA-256 of the image, lower-case hex. */
  declare readonly isoSha256: pulumi.Output<string>;
  /** Size of the image, in bytes. */
  declare readonly isoSize: pulumi.Output<number>;
  /** Name or address at which the host was reached. */
  declare readonly host: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  declare readonly user: pulumi.Output<string>;
  /** The public key that the host proved to own: `ssh-ed25519 AAAA…`. */
  declare readonly hostKey: pulumi.Output<string>;
  /** With `poolWide`, the hosts that have the disc. */
  declare readonly hosts: pulumi.Output<readonly PoolHost[] | undefined>;
  /**
   * `ready`; with `once` also `released`. The next up replaces an `incomplete` or `lost` disc, and completes a
   * `partial` one.
   */
  declare readonly status: pulumi.Output<TempIsoStatus>;

  /**
   * @param name of the resource; the names on the host begin with it
   * @throws nothing: what is wrong with the arguments is reported at preview
   */
  constructor(name: string, args: XenTempIsoArgs, opts?: pulumi.CustomResourceOptions) {
    const inputs = providerInputs(name, withSecretHeaders(args), { type: TYPE, outputs: OUTPUTS, opts });
    super(TYPE.token, name, { ...inputs, organization: organizationOfStack() }, opts);
  }
}

/** Undefined in a program's own tests, unless they give one to `pulumi.runtime.setMocks`. */
function organizationOfStack(): string | undefined {
  try {
    return pulumi.getOrganization();
  } catch {
    return undefined;
  }
}

const SECRETS = ["headers"] as const;

/** Each header is marked on its own if they can be told apart, else the whole map. */
function withSecretHeaders(args: XenTempIsoArgs): XenTempIsoArgs {
  const marked = { ...args };
  for (const name of SECRETS) if (marked[name] !== undefined) marked[name] = secretValues(marked[name]);
  return marked;
}

function secretValues(values: pulumi.Input<Record<string, pulumi.Input<string>> | undefined>): typeof values {
  // A program in JavaScript may give null, which check takes for "not given".
  if (!values) return values;
  if (typeof values !== "object" || pulumi.Output.isInstance(values) || values instanceof Promise)
    return pulumi.secret(values);
  const entries = Object.entries(values).map(([name, value]) => [name, pulumi.secret(value)] as const);
  return Object.fromEntries(entries);
}

const OUTPUTS = [
  ...["srUuid", "pbdUuid", "vdiUuid", "isoName", "srName", "srPath", "srMountPath", "hostUuid"],
  ...["isoSha256", "isoSize", "host", "port", "user", "hostKey", "hosts", "status"],
];
