export { XenTempIso, type XenTempIsoArgs } from "./resources/temp-iso";
export type { ConnectionArgs } from "./resources/connection";
export type { TempIsoStatus } from "./lifecycle/temp-iso";
