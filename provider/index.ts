/** @module API reference */
export { buildIso, type BuildIsoOptions, type ImageFormat, type IsoImage } from "./iso/build";
export {
  IsoBuildError,
  type IsoBuildErrorCode,
  type IsoContents,
  type IsoFile,
  type IsoFiles,
  type IsoProblem,
} from "./iso/check";
export type { ByteRange } from "./iso/source";
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
  type ImageSources,
  type IsoFileInput,
  type PoolHost,
  XenTempIso,
  type XenTempIsoArgs,
  type XenTempIsoOptions,
} from "./resources/temp-iso";
export type { ConnectionArgs } from "./resources/connection";
export type { TempIsoStatus } from "./lifecycle/temp-iso-status";
