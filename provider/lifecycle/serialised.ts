import type { dynamic } from "@pulumi/pulumi";
import type * as Implementation from "./provider";

/**
 * The provider as it is serialised into the state of every resource. Its methods do nothing but require the
 * rest, so that this text stays small and does not change when the implementation does.
 *
 * `require` here is that of the process which hosts dynamic providers; it searches from the program's folder.
 */
export const tempIsoProvider: dynamic.ResourceProvider = {
  configure: (request) => (require("pulumi-xen-iso/provider") as typeof Implementation).configure(request),
  check: (olds, news) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).tempIso.check(olds, news),
  diff: (id, olds, news) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).tempIso.diff(id, olds, news),
  create: (inputs) => (require("pulumi-xen-iso/provider") as typeof Implementation).tempIso.create(inputs),
  read: (id, props) => (require("pulumi-xen-iso/provider") as typeof Implementation).tempIso.read(id, props),
  update: (id, olds, news) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).tempIso.update(id, olds, news),
  delete: (id, props) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).tempIso.delete(id, props),
};

/** The same of a XenIsoAttachment; the text of each method has to stand alone. */
export const isoAttachmentProvider: dynamic.ResourceProvider = {
  configure: (request) => (require("pulumi-xen-iso/provider") as typeof Implementation).configure(request),
  check: (olds, news) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).isoAttachment.check(olds, news),
  diff: (id, olds, news) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).isoAttachment.diff(id, olds, news),
  create: (inputs) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).isoAttachment.create(inputs),
  read: (id, props) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).isoAttachment.read(id, props),
  update: (id, olds, news) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).isoAttachment.update(id, olds, news),
  delete: (id, props) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).isoAttachment.delete(id, props),
};

/** The same of a XenIsoRelease; the text of each method has to stand alone. */
export const isoReleaseProvider: dynamic.ResourceProvider = {
  configure: (request) => (require("pulumi-xen-iso/provider") as typeof Implementation).configure(request),
  check: (olds, news) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).isoRelease.check(olds, news),
  diff: (id, olds, news) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).isoRelease.diff(id, olds, news),
  create: (inputs) => (require("pulumi-xen-iso/provider") as typeof Implementation).isoRelease.create(inputs),
  read: (id, props) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).isoRelease.read(id, props),
  update: (id, olds, news) =>
    (require("pulumi-xen-iso/provider") as typeof Implementation).isoRelease.update(id, olds, news),
  delete: () => (require("pulumi-xen-iso/provider") as typeof Implementation).isoRelease.delete(),
};
