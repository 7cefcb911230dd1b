import "./dispose";

export { startPool, type SimulatedPool, type StartOptions } from "./pool";
export type { SimulatedHost } from "./host";
export type { Leftovers } from "./leftovers";
export type { HostCommand, HostConnection, Space } from "./transport/host";
export { Proxy, type ProxiedConnection, type ProxyFaults } from "./proxy";
export { isSshdAvailable } from "./transport/sshd";
export { Ref } from "./xapi/errors";
export type { Fault, FaultEffect } from "./xapi/faults";
export type * from "./xapi/records";
export type { TrayLock, Xapi, XapiOptions, XeCall } from "./xapi/xapi";
export type { NewDrive, NewVm } from "./xapi/vms";
