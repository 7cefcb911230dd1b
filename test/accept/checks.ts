import { abandoned, droppedConnection, forgetByHand, lostWhen, pluggedAgain, removeFile } from "./faults";
import { largeImage, sameName, wholeLife } from "./life";
import { badNames, changedImage, fileAsMountPath, otherHostKey } from "./refusals";
import type { Site } from "./site";
import { ejectedByDelete } from "./vm";

/** One thing that has to hold; it makes its own discs and takes them away. */
export interface Check {
  readonly name: string;
  /** Rejects when it does not hold. */
  readonly run: (site: Site) => Promise<void>;
}

const CHECKS: readonly Check[] = [
  { name: "a disc is made, read, updated and taken away", run: wholeLife },
  { name: "two discs with one isoName do not disturb each other", run: sameName },
  { name: "an image of 64 MiB arrives whole", run: largeImage },
  { name: "another host key than the host's is refused before a login", run: otherHostKey },
  { name: "a srMountPath that is a file is refused", run: fileAsMountPath },
  { name: "an image that changed after check is refused", run: changedImage },
  { name: "bad names are refused at check", run: badNames },
  { name: "an upload whose connection breaks goes on where the host has it", run: droppedConnection },
  { name: "a disc whose file was removed is lost, and a delete clears it", run: lostWhen(removeFile) },
  { name: "a disc whose SR was forgotten is lost, and a delete clears it", run: lostWhen(forgetByHand) },
  { name: "a disc whose PBD was unplugged is plugged again", run: pluggedAgain },
  { name: "what a killed create left is cleared by the next one", run: abandoned },
];

const CHECK_WITH_VM: Check = {
  name: "a delete takes the disc out of a VM's drive",
  run: ejectedByDelete,
};

/** The checks of a run. */
export function checksFor({ vmUuid }: { readonly vmUuid: string | undefined }): readonly Check[] {
  return vmUuid === undefined ? CHECKS : [...CHECKS, CHECK_WITH_VM];
}
