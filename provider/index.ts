export { buildIso, type BuildIsoOptions, type IsoImage } from "./iso/build";
export { IsoBuildError, type IsoFile, type IsoFiles } from "./iso/check";
export {
  cloudInit,
  type CloudInitArgs,
  type CloudInitFiles,
  type CloudInitUserArgs,
  neonInit,
} from "./resources/cloud-init";
export { XenIsoAttachment, type XenIsoAttachmentArgs } from "./resources/iso-attachment";
export { XenIsoRelease, type XenIsoReleaseArgs } from "./resources/iso-release";
export {
  type IsoFileInput,
  XenTempIso,
  type XenTempIsoArgs,
  type XenTempIsoOptions,
} from "./resources/temp-iso";
export type { ConnectionArgs } from "./resources/connection";
export type { TempIsoStatus } from "./lifecycle/temp-iso-status";
