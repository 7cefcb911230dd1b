import type { Call } from "./gate";

/** What the engine asks of the provider. */
export type Operation = "create" | "update" | "read" | "delete";

/** One remote step of an operation. */
export interface Step {
  readonly operation: Operation;
  readonly name: string;
  /** The call on the host that does it; none where it is the connection itself. */
  readonly call?: Call;
  /** The command of `xe`, where it is one. */
  readonly command?: string;
  /** What is made: an image that goes with the command that makes its SR (the default), or a larger one. */
  readonly image?: "large";
  /** The host has the content already, in a folder of somebody else's. */
  readonly hasTwin?: boolean;
  /** The disc is in no drive, so that a delete is one command. */
  readonly isUnused?: boolean;
  /** It sends the image, which has to be large enough to be interrupted. */
  readonly isUpload?: boolean;
  /** It is part of a command that may take as long as the host's disk or its toolstack needs: 10 min and more. */
  readonly isPatient?: boolean;
}

const connect = (operation: Operation): Step => ({ operation, name: "connect" });

/** A step by a program of the host. */
const shell = (operation: Operation, name: string, program: string, args: RegExp): Step => ({
  operation,
  name,
  call: { program, args },
});

/** A step by `xe`. */
const xe = (operation: Operation, command: string, filter = ""): Step => ({
  operation,
  name: filter ? `${command} by ${filter}` : command,
  command,
  call: { program: "xe", args: new RegExp(`^${command} .*${filter}`) },
});

/** What every operation on a disc that exists begins with. */
const identify = (operation: Operation) => shell(operation, "identify the host", "sed", /INSTALLATION_UUID/);

/** The step that has no program of its own: the shell writes the file. */
export const MARKER_STEP: Step = { operation: "create", name: "write the marker" };

/** The same step on another way. */
const onWay = (way: string, more: Partial<Step>) => (step: Step) => ({
  ...step,
  name: `${way}: ${step.name}`,
  ...more,
});

const patient = (step: Step): Step => ({ ...step, isPatient: true });

const makeFolder = shell("create", "make the folder", "mkdir", /^-- [0-9a-f-]{36}$/);
const syncImage = patient(shell("create", "sync the image", "dd", /conv=notrunc,fsync/));
const nameImage = patient(shell("create", "rename the image", "mv", /^-T/));
const removeMarker = patient(shell("create", "remove the marker", "rm", /^-f -- pending/));
const removeFolder = [
  shell("delete", "remove the files", "rm", /^-f/),
  shell("delete", "remove the folder", "rmdir", /^--/),
];

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
  ].map(onWay("large", { image: "large" })),

  ...[
    patient(shell("create", "compare the image", "sha256sum", /^$/)),
    patient(shell("create", "link the image", "ln", /^--/)),
    xe("create", "sr-create"),
  ].map(onWay("twin", { image: "large", hasTwin: true })),

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
    ...removeFolder,
  ].map(onWay("unused", { isUnused: true, isPatient: true })),

  connect("delete"),
  patient(identify("delete")),
  xe("delete", "sr-list", "uuid"),
  xe("delete", "pbd-list", "sr-uuid"),
  xe("delete", "vdi-list"),
  xe("delete", "vbd-list"),
  xe("delete", "vm-list"),
  xe("delete", "vbd-eject"),
  xe("delete", "pbd-unplug"),
  xe("delete", "sr-forget"),
  xe("delete", "pbd-list", "device-config:location"),
  xe("delete", "sr-list", "name-description"),
  ...removeFolder,
];
