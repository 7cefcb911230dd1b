/**
 * `incomplete` after a failure whose rollback could not finish, `lost` when half of it is gone from the host:
 * the next up replaces either and clears what is left. `released` when it is gone and `once` says that it may be.
 */
export type TempIsoStatus = "ready" | "incomplete" | "lost" | "released";
