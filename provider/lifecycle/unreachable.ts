import { isSilentHost, SshError } from "../ssh/error";
import { configured, settingName } from "./connection";
import { warn } from "./engine-log";
import type { Problems } from "./problems";
import type { ReachedHost } from "./reached-host";

/** What a delete leaves on an unreachable host. */
export interface LeftThere {
  /** URN of the resource, as it stands on the host. */
  readonly owner: string;
  readonly host: string;
  /** For the user to find it: "SR <uuid>, folder /var/opt/…". */
  readonly what: string;
  /** The command that removes it. */
  readonly remedy: string;
}

const VARIABLE = "PULUMI_XEN_DELETE_UNREACHABLE";

/**
 * Runs a delete on a host. If the host is unreachable after all tries, and the user allows it, succeeds with a
 * warning that says what is left.
 *
 * @returns what `remove` does; undefined after the warning
 * @throws {@link SshError} of an unreachable host with the way out in its message; whatever else `remove` throws
 */
export async function unlessHostIsGone<T>(left: LeftThere, remove: () => Promise<T>): Promise<T | undefined> {
  try {
    return await remove();
  } catch (error) {
    // Any answer, even a refused login, proves that the host is there. A silent jump host proves nothing.
    if (!isSilentHost(error)) throw error;
    const { isOn, problem } = deleteUnreachable();
    if (!isOn) throw new SshError(error.code, error.host, wayOut(error, problem), { cause: error });
    await warn(
      left.owner,
      `${error.message} It was dropped from the state all the same, and is left on ${left.host}: ${left.what}. ` +
        `Should the host come back, remove it with \`${left.remedy}\`.`,
    );
    return undefined;
  }
}

/** Refuses a value that is neither true nor false now, not only when a host is gone. */
export function checkDeleteUnreachable(problems: Problems): void {
  const { problem } = deleteUnreachable();
  if (problem) problems.add(problem.name, problem.reason);
}

interface Setting {
  readonly isOn: boolean;
  readonly problem?: { readonly name: string; readonly reason: string };
}

/** The environment variable is for this run, so it overrides the stack's configuration. */
function deleteUnreachable(): Setting {
  const variable = process.env[VARIABLE];
  return variable
    ? read(VARIABLE, variable)
    : read(settingName("deleteUnreachable"), configured("deleteUnreachable"));
}

function read(name: string, value: unknown): Setting {
  if (value === undefined || value === "false" || value === false) return { isOn: false };
  if (value === "true" || value === true) return { isOn: true };
  return { isOn: false, problem: { name, reason: "takes true or false" } };
}

function wayOut({ message }: SshError, problem: Setting["problem"]): string {
  const correct = problem ? ` (${problem.name} ${problem.reason})` : "";
  return (
    `${message} If the host is gone for good, set ${VARIABLE}=true in the environment and run the command again: ` +
    `what is left there is dropped from the state${correct}. The configuration can say the same, ` +
    `\`pulumi config set xen:deleteUnreachable true\` or deleteUnreachable of an explicit provider, and is seen by ` +
    `\`pulumi destroy --run-program\`.`
  );
}

/**
 * The command that removes a disc that no state names.
 *
 * @param uuid of its SR or of its folder
 */
export function sweepCommand({ host, port, user }: ReachedHost, uuid: string): string {
  const elsewhere = [
    ...(port === 22 ? [] : [`--port ${port}`]),
    ...(user === "root" ? [] : [`--user ${user}`]),
  ];
  return ["npx pulumi-xen-iso sweep --host", host, ...elsewhere, "--uuid", uuid].join(" ");
}
