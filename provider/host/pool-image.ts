import { SharedReading } from "../ssh/shared-reading";
import { sh } from "../ssh/sh";
import type { UploadSource } from "../ssh/upload";
import { pathOf, removeFolder } from "./folder";
import { assertUnchanged, imageFailed, reporting, sendImage, uploadIncomplete } from "./image";
import type { KnownPlan } from "./plan";
import { MAX_HOSTS, onEach, type PoolMember } from "./pool";
import { prepareFolder, type Twin } from "./prepare";
import { EXIT, valueOf } from "./protocol";
import { remote } from "./remote";
import { resuming } from "./temp-iso";
import { hasContent, rememberContent, turnToSend } from "./twin";

/** Writing an image to a slow disk can take minutes. */
const PLACE_TIMEOUT_MS = 10 * 60_000;

/**
 * Puts the image into a new folder on each host. Sends no byte before every host has room, then reads the image
 * once for all of them. A host that already has the content gets a link to it.
 *
 * @param members the first one is asked first: two creates of one resource meet there, and nowhere else
 * @throws what `prepareFolder` does, `HostError` `UPLOAD_INCOMPLETE`, `IMAGE_CHANGED`, `FOLDER_FAILED`, `SshError`
 */
export async function putImage(members: readonly PoolMember[], plan: KnownPlan): Promise<void> {
  const { folder, image } = plan;
  const turn = await turnToSend(
    `pool ${members.map(({ uuid }) => uuid).join()} ${folder.srMountPath} ${image.sha256}`,
  );
  try {
    const [first, ...others] = members;
    const prepared = [
      ...(await onEach(first ? [first] : [], (member) => prepare(member, plan))),
      ...(await onEach(others, (member) => prepare(member, plan))),
    ];
    // Each host now has the folder with its marker, and room for the image or a file with the same content.
    await send(
      prepared.filter(({ twin }) => !twin).map(({ member }) => member),
      plan,
    );
    await onEach(prepared, ({ member, twin }, signal) => place(member, twin, withSignal(plan, signal)));
    turn.end({ path: pathOf(folder), identity: "" });
  } finally {
    turn.end();
  }
}

interface PreparedMember {
  readonly member: PoolMember;
  /** A file on the host with the same content. */
  readonly twin?: Twin;
}

async function prepare(member: PoolMember, plan: KnownPlan): Promise<PreparedMember> {
  const { host } = member;
  const { folder, owner, organization, isoName, image } = plan;
  const purpose = {
    owner,
    organization,
    isoName,
    sizeBytes: image.source.sizeBytes,
    twinSha256: image.sha256,
  };
  return resuming(host, plan, async (stage) => {
    // The lost reply said how much room there is, and whether there is a twin: the host is asked again.
    if (stage !== "nothing") await removeFolder(host, folder, isoName);
    const { twin, noRoom } = await prepareFolder(host, folder, purpose);
    if (twin && (await hasContent(host, twin, image.sha256))) return { member, twin };
    if (noRoom) throw noRoom;
    return { member };
  });
}

async function send(members: readonly PoolMember[], plan: KnownPlan): Promise<void> {
  const [first] = members;
  if (!first) return;
  const { source } = plan.image;
  const onArrived = reporting(source.sizeBytes * members.length);
  await onEachReading(members, source, ({ host }, reading, signal) =>
    resuming(host, withSignal(plan, signal), async (stage) => {
      const { source: shared, end } = reading.reader();
      const image = { ...plan.image, source: shared };
      try {
        await sendImage(
          host,
          { ...withSignal(plan, signal), image },
          { isBegun: stage === "folder", onArrived },
        );
      } finally {
        end();
      }
    }),
  );
  await assertUnchanged(first.host, plan);
}

/** Works on groups of members, one group after the other. The members of a group read the source together, once. */
export async function onEachReading<M>(
  members: readonly M[],
  source: UploadSource,
  work: (member: M, reading: SharedReading, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < members.length; start += MAX_HOSTS) {
    const group = members.slice(start, start + MAX_HOSTS);
    const reading = new SharedReading(source, group.length);
    await onEach(group, (member, signal) => work(member, reading, signal));
  }
}

/** Renames the image, or links it to the twin, and flushes it to disk. */
function place({ host }: PoolMember, twin: Twin | undefined, plan: KnownPlan): Promise<void> {
  const { folder, isoName, image } = plan;
  const { path = "", identity = "" } = twin ?? {};
  const script = remote(
    sh`place_image ${pathOf(folder)} ${isoName} ${image.source.sizeBytes} ${image.sha256} ${path} ${identity}`,
  );
  return resuming(host, plan, async () => {
    const result = await host.exec(script, { purpose: "name the image", timeoutMs: PLACE_TIMEOUT_MS });
    if (result.status === EXIT.imageFailed) throw imageFailed(host, plan, result);
    const placed = valueOf(result.stdout, "image");
    if (result.status !== 0 || !placed) throw uploadIncomplete(host, folder, result);
    rememberContent(host, placed, image.sha256);
  });
}

const withSignal = (plan: KnownPlan, signal: AbortSignal): KnownPlan => ({
  ...plan,
  signal: AbortSignal.any([plan.signal, signal]),
});
