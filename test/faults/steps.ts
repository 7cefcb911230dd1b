import type { Call } from "./gate";

/** What the engine asks of the provider. */
export type Operation = "create" | "update" | "read" | "delete";

/** One remote step of an operation. */
export interface Step {
  readonly operation: Operation;
  readonly name: string;
  /** The call on the host that does it; none where it is the connection itself. */
  readonly call?: Call;
  /** It sends the image, which has to be large enough to be interrupted. */
  readonly isUpload?: boolean;
  /** It may take as long as the host's disk needs: its limit is 10 min. */
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
  call: { program: "xe", args: new RegExp(`^${command} .*${filter}`) },
});

/** What every operation on a disc that exists begins with. */
const identify = (operation: Operation) => shell(operation, "identify the host", "sed", /INSTALLATION_UUID/);

/** The step that has no program of its own: the shell writes the file. */
export const MARKER_STEP: Step = { operation: "create", name: "write the marker" };

/** Every remote step, in the order in which they are done. */
export const STEPS: readonly Step[] = [
  connect("create"),
  shell("create", "make the folder", "mkdir", /^-- [0-9a-f-]{36}$/),
  MARKER_STEP,
  shell("create", "measure the room", "df", /^-P -k/),
  { ...shell("create", "upload", "cat", /^$/), isUpload: true },
  { ...shell("create", "sync the image", "dd", /of=upload/), isPatient: true },
  shell("create", "rename the image", "mv", /^-T/),
  xe("create", "sr-create"),
  xe("create", "pbd-list"),
  xe("create", "pbd-plug"),
  xe("create", "sr-scan"),
  xe("create", "vdi-list"),
  shell("create", "remove the marker", "rm", /\/pending/),

  connect("update"),
  identify("update"),

  connect("read"),
  identify("read"),
  xe("read", "sr-list"),
  xe("read", "pbd-list"),
  xe("read", "vdi-list"),
  shell("read", "look at the folder", "stat", /^-c %s/),

  connect("delete"),
  identify("delete"),
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
  shell("delete", "remove the files", "rm", /^-f/),
  shell("delete", "remove the folder", "rmdir", /^--/),
];
