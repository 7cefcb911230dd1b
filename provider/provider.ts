/**
 * `pulumi-xen-iso/provider`: the providers that every state requires by this path, under these names. This is a
 * promise since 0.1.0: a state of an old release calls the functions of the installed one.
 *
 * @packageDocumentation
 */
import type { ResourceProvider } from "@pulumi/pulumi/dynamic";
import * as lifecycle from "./lifecycle/provider";

/** The lifecycle of a `XenTempIso`. */
export const tempIso: ResourceProvider = lifecycle.tempIso;

/** The lifecycle of a `XenIsoAttachment`. */
export const isoAttachment: ResourceProvider = lifecycle.isoAttachment;

/** The lifecycle of a `XenIsoRelease`. */
export const isoRelease: ResourceProvider = lifecycle.isoRelease;
