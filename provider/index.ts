export { buildIso, type BuildIsoOptions, type IsoImage } from "./iso/build";
export { IsoBuildError, type IsoFile, type IsoFiles } from "./iso/check";
export { type IsoFileInput, XenTempIso, type XenTempIsoArgs } from "./resources/temp-iso";
export type { ConnectionArgs } from "./resources/connection";
export type { TempIsoStatus } from "./lifecycle/temp-iso";
