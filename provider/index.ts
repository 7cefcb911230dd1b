export { buildIso, type BuildIsoOptions, type IsoImage } from "./iso/build";
export { IsoBuildError, type IsoFile, type IsoFiles } from "./iso/check";
export {
  cloudInit,
  type CloudInitArgs,
  type CloudInitFiles,
  type CloudInitUserArgs,
  neonInit,
} from "./resources/cloud-init";
export { type IsoFileInput, XenTempIso, type XenTempIsoArgs } from "./resources/temp-iso";
export type { ConnectionArgs } from "./resources/connection";
export type { TempIsoStatus } from "./lifecycle/temp-iso";
