import type { FoundTempIso } from "../host/find-temp-isos";

/**
 * What a corpse does to its host; nothing for any other temporary ISO.
 *
 * @see xapi-project/xen-api: ocaml/xapi/xapi_host_helpers.ml, xapi_vm_helpers.ml, create_storage.ml
 */
export function harmOf(found: FoundTempIso, { isHaEnabled }: { isHaEnabled: boolean }): string[] {
  if (found.state !== "corpse") return [];
  const harm: string[] = [];
  const isUnattached = found.srs.some(({ hasPbd, isAttached }) => hasPbd && !isAttached);
  const isHopeless = found.isReached && !found.isFolderThere;
  if (isUnattached && isHopeless) {
    harm.push(
      isHaEnabled
        ? "HA is on: after its next reboot the host is not enabled again, because not all of its PBDs attach"
        : "if HA is switched on, the host is not enabled again after a reboot, because not all of its PBDs attach",
    );
    harm.push(
      "every toolstack start tries twice to attach it, before any VM is started, and raises an alert",
    );
  } else if (isUnattached) harm.push("it is not attached until the next toolstack start, or `xe pbd-plug`");
  for (const { vmName, powerState } of found.drives)
    if (powerState === "halted") harm.push(`VM ${vmName} does not start: its drive names the disc`);
    else if (powerState === "suspended") harm.push(`VM ${vmName} does not resume: its drive names the disc`);
  return harm;
}
