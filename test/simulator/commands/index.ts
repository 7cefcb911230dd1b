import { CLASSES, type RecordClass } from "../xapi/classes";
import type { Command } from "./command";
import { hostCommands } from "./host";
import { listCommand } from "./list";
import { paramCommands } from "./param";
import { pbdCommands } from "./pbd";
import { poolCommands } from "./pool";
import { srCommands } from "./sr";
import { vbdCommands } from "./vbd";
import { vdiCommands } from "./vdi";
import { vmCommands } from "./vm";

const recordCommands = <R>(recordClass: RecordClass<R>): Record<string, Command> => ({
  [`${recordClass.name}-list`]: listCommand(recordClass),
  ...paramCommands(recordClass),
});

/** Every command of `xe` that is simulated, by its name. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  ...recordCommands(CLASSES.host),
  ...recordCommands(CLASSES.sr),
  ...recordCommands(CLASSES.pbd),
  ...recordCommands(CLASSES.vdi),
  ...recordCommands(CLASSES.vbd),
  ...recordCommands(CLASSES.vm),
  ...recordCommands(CLASSES.task),
  ...recordCommands(CLASSES.pool),
  ...hostCommands,
  ...poolCommands,
  ...srCommands,
  ...pbdCommands,
  ...vdiCommands,
  ...vbdCommands,
  ...vmCommands,
};
