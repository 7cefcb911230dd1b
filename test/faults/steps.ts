import type { Call } from "./gate";

/**
 * What the engine asks of the provider: for a disc `create`, `update`, `read` and `delete`; for an attachment `attach`,
 * `exchange` (another disc), `look` and `detach`; `release` creates a release; `pool create` and `pool delete` are those
 * of a disc of a whole pool.
 */
export type Operation =
  | "create"
  | "update"
  | "read"
  | "delete"
  | "attach"
  | "exchange"
  | "look"
  | "detach"
  | "release"
  | PoolOperation;

type PoolOperation = "pool create" | "pool delete";

/** One remote step of an operation. */
export interface Step {
  readonly operation: Operation;
  readonly name: string;
  /** The call on the host that does it; none if it is the connection itself. */
  readonly call?: Call;
  /** The command, if it is one of `xe`. */
  readonly command?: string;
  /** An image that is uploaded. Without it, the image is sent along with the command that makes its SR. */
  readonly image?: "large";
  /** Another disc on the host has the same content. */
  readonly hasTwin?: boolean;
  /** The disc is in no drive, so that a delete is one command. */
  readonly isUnused?: boolean;
  /** It sends the image, which has to be large enough to be interrupted. */
  readonly isUpload?: boolean;
  /** It is part of a command with a limit of 10 min and more, for a slow disk or toolstack. */
  readonly isPatient?: boolean;
  /** The drive of the VM, for an attachment: an empty one of a running VM by default. */
  readonly drive?: DriveKind;
  /** In a pool of two hosts, the one that the fault is on: 0 is the coordinator. */
  readonly poolHost?: 0 | 1;
}

/** `new`: a halted VM without a CD drive. `occupied`: a disc of somebody else is in the drive. */
export type DriveKind = "new" | "occupied";

const connect = (operation: Operation): Step => ({ operation, name: "connect" });

/** A program of the host. */
const shell = (operation: Operation, name: string, program: string, args: RegExp): Step => ({
  operation,
  name,
  call: { program, args },
});

/** A command of `xe`. */
const xe = (operation: Operation, command: string, filter = ""): Step => ({
  operation,
  name: filter ? `${command} by ${filter}` : command,
  command,
  call: { program: "xe", args: new RegExp(`^${command} (.* )?${filter}`) },
});

/** The first step of every operation on a disc that exists. */
const identify = (operation: Operation) => shell(operation, "identify the host", "sed", /INSTALLATION_UUID/);

/** Has no program of its own: the shell writes the file. */
export const MARKER_STEP: Step = { operation: "create", name: "write the marker" };

/** The same step in another situation. */
const when =
  (situation: string, more: Partial<Step>) =>
  (step: Step): Step => ({ ...step, name: `${situation}: ${step.name}`, ...more });

const patient = (step: Step): Step => ({ ...step, isPatient: true });

const makeFolder = shell("create", "make the folder", "mkdir", /^-- [0-9a-f-]{36}$/);
const syncImage = patient(shell("create", "sync the image", "dd", /conv=notrunc,fsync/));
const nameImage = patient(shell("create", "rename the image", "mv", /^-T/));
const removeMarker = patient(shell("create", "remove the marker", "rm", /^-f -- pending/));
/** What a delete and a release do, once they know the disc. */
const remove = (operation: Operation) => [
  xe(operation, "vbd-list"),
  xe(operation, "vm-list"),
  xe(operation, "vbd-eject"),
  xe(operation, "pbd-unplug"),
  xe(operation, "sr-forget"),
  xe(operation, "pbd-list", "device-config:location"),
  {
    ...xe(operation, "sr-list"),
    name: "sr-list of all",
    call: { program: "xe", args: /^sr-list params=\S+$/ },
  },
  ...removeFolder(operation),
];

const removeFolder = (operation: Operation) => [
  shell(operation, "remove the files", "rm", /^-f/),
  shell(operation, "remove the folder", "rmdir", /^--/),
];

/** What an attachment looks at first. */
const findDrive = (operation: Operation) => [
  connect(operation),
  xe(operation, "vm-list"),
  xe(operation, "vbd-list", "vm-uuid"),
];

/** The steps of a disc of a whole pool on one of its hosts. */
const onPoolHost = (poolHost: 0 | 1, operation: PoolOperation, steps: readonly Step[]) =>
  steps.map((step) =>
    when(poolHost === 0 ? "coordinator" : "other host", { poolHost, operation, image: "large" })(step),
  );

/** Every remote step, in the order in which they are done. */
export const STEPS: readonly Step[] = [
  connect("create"),
  patient(makeFolder),
  MARKER_STEP,
  patient(shell("create", "measure the room", "stat", /^-f/)),
  patient(shell("create", "receive the image", "dd", /count=1/)),
  xe("create", "sr-create"),
  xe("create", "sr-scan"),
  xe("create", "pbd-list"),
  xe("create", "pbd-plug"),
  xe("create", "vdi-list"),
  removeMarker,

  ...[
    makeFolder,
    { ...shell("create", "upload", "dd", /seek=/), isUpload: true },
    syncImage,
    nameImage,
    xe("create", "sr-create"),
    xe("create", "sr-scan"),
    removeMarker,
  ].map(when("large", { image: "large" })),

  ...[
    patient(shell("create", "compare the image", "sha256sum", /^$/)),
    patient(shell("create", "link the image", "ln", /^--/)),
    xe("create", "sr-create"),
  ].map(when("twin", { image: "large", hasTwin: true })),

  connect("update"),
  identify("update"),

  connect("read"),
  identify("read"),
  xe("read", "sr-list"),
  xe("read", "pbd-list"),
  xe("read", "vdi-list"),
  shell("read", "look at the folder", "stat", /^-c %s/),

  ...[
    identify("delete"),
    xe("delete", "vbd-list"),
    xe("delete", "pbd-unplug"),
    xe("delete", "sr-forget"),
    ...removeFolder("delete"),
  ].map(when("unused", { isUnused: true, isPatient: true })),

  connect("delete"),
  patient(identify("delete")),
  xe("delete", "sr-list", "uuid"),
  xe("delete", "pbd-list", "sr-uuid"),
  xe("delete", "vdi-list"),
  ...remove("delete"),

  ...findDrive("attach"),
  xe("attach", "vdi-list"),
  xe("attach", "vbd-insert"),
  ...[xe("attach", "vm-param-set"), xe("attach", "vbd-create"), xe("attach", "vbd-insert")].map(
    when("new drive", { drive: "new" }),
  ),
  ...[
    xe("attach", "vm-param-set"),
    xe("attach", "vbd-list", "uuid"),
    xe("attach", "vbd-eject"),
    xe("attach", "vbd-insert"),
  ].map(when("occupied", { drive: "occupied" })),

  ...findDrive("exchange"),
  xe("exchange", "vdi-list"),
  xe("exchange", "vbd-list", "uuid"),
  xe("exchange", "vbd-eject"),
  xe("exchange", "vbd-insert"),

  ...findDrive("look"),

  ...findDrive("detach"),
  xe("detach", "vbd-list", "uuid"),
  xe("detach", "vbd-eject"),
  ...[xe("detach", "vbd-destroy"), xe("detach", "vm-param-remove")].map(when("new drive", { drive: "new" })),
  ...[xe("detach", "vbd-insert"), xe("detach", "vm-param-remove")].map(
    when("occupied", { drive: "occupied" }),
  ),

  connect("release"),
  identify("release"),
  xe("release", "sr-list", "uuid"),
  xe("release", "pbd-list", "sr-uuid"),
  xe("release", "vdi-list"),
  ...remove("release"),

  ...([0, 1] as const).flatMap((poolHost) =>
    onPoolHost(poolHost, "pool create", [
      makeFolder,
      { ...shell("create", "upload", "dd", /seek=/), isUpload: true },
      syncImage,
      nameImage,
      removeMarker,
    ]),
  ),
  ...onPoolHost(0, "pool create", [
    xe("create", "sr-create"),
    xe("create", "sr-scan"),
    xe("create", "vdi-list"),
  ]),
  ...onPoolHost(0, "pool delete", [xe("delete", "pbd-unplug"), xe("delete", "sr-forget")]),
  ...([0, 1] as const).flatMap((poolHost) => onPoolHost(poolHost, "pool delete", removeFolder("delete"))),
];
