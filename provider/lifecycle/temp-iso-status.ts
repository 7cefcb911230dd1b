/**
 * `incomplete` after a failure whose rollback could not finish, `lost` if half of the disc is gone from the host: the
 * next up replaces either and removes what is left. `partial` if it is not plugged: the next up plugs it, in place.
 * `released` if it is gone and `once` allows that.
 */
export type TempIsoStatus = "ready" | "incomplete" | "lost" | "partial" | "released";
