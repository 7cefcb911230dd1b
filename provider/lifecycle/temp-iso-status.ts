/**
 * `incomplete` after a failure whose rollback could not finish, `lost` if half of the disc is gone from the host: the
 * next up replaces either and removes what is left. `partial` if it is not plugged, or, with `poolWide`, if hosts of
 * the pool lack it: the next up mends that, in place. `released` if it is gone and `once` allows that.
 */
export type TempIsoStatus = "ready" | "incomplete" | "lost" | "partial" | "released";
