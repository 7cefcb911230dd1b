import { randomBytes } from "node:crypto";
import { FILE, folderAt } from "../../provider/host/folder";
import { forgetSr } from "../../provider/host/sr";
import type { ConnectionInputs } from "../../provider/lifecycle/connection";
import type { TempIsoInputs } from "../../provider/lifecycle/inputs";
import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { type Script, sh } from "../../provider/ssh/sh";
import type { SharedConnection } from "../../provider/ssh/shared-connection";
import { type XeCommand, srList } from "../../provider/xe/commands";
import { runXeAgain } from "../../provider/xe/run";
import type { Images } from "./images";

/** What the checks of a run are given. */
export interface Start {
  readonly host: SharedConnection;
  readonly connection: ConnectionInputs;
  readonly srMountPath: string;
  readonly vmUuid: string | undefined;
  readonly images: Images;
  /** Aborted when the run is to end: nothing new is begun then. */
  readonly signal: AbortSignal;
}

const LOOK_TIMEOUT_MS = 60_000;

/** A host under check, and what this run makes on it: all of it has the run's own name, and is found by that. */
export class Site {
  /** Begins the name of each SR and file. */
  readonly name: string;
  /** URN of the resource that the discs are made for. */
  readonly owner: string;
  /** What was measured, in milliseconds. */
  readonly timings = new Map<string, number>();
  /** Folders of discs: one that is incomplete may hold nothing that has the run's name. */
  readonly #folders = new Set<string>();

  constructor(readonly start: Start) {
    this.name = `accept-${randomBytes(4).toString("hex")}`;
    this.owner = `urn:pulumi:accept::pulumi-xen-iso::pulumi-nodejs:dynamic/xen:TempIso::${this.name}`;
  }

  /** The inputs that check makes of a disc's arguments: the small image, unless `more` says otherwise. */
  async check(
    more: Record<string, unknown> = {},
    olds: Record<string, unknown> = {},
  ): Promise<TempIsoInputs> {
    const { inputs, failures } = await tempIso.check(olds, this.argumentsWith(more));
    if (failures?.length) throw new Error(failures.map(({ reason }) => reason).join("\n"));
    return inputs as TempIsoInputs;
  }

  /** A disc's arguments as the class passes them on. */
  argumentsWith(more: Record<string, unknown>): Record<string, unknown> {
    const { images, srMountPath, connection } = this.start;
    return { isoPath: images.small.path, owner: this.owner, srMountPath, connection, ...more };
  }

  /** Check, then create, as the engine does it. */
  async create(more: Record<string, unknown> = {}): Promise<TempIsoState> {
    return this.createFrom(await this.check(more));
  }

  async createFrom(inputs: TempIsoInputs): Promise<TempIsoState> {
    this.start.signal.throwIfAborted();
    try {
      const { outs } = await tempIso.create(inputs);
      if (!outs) throw new Error("The create returned no outputs.");
      this.#folders.add(outs.srPath);
      return outs;
    } catch (error) {
      const { properties } = error as { properties?: Partial<TempIsoState> };
      if (properties?.srPath) this.#folders.add(properties.srPath);
      throw error;
    }
  }

  /** What a refresh finds: the disc's status, or `gone`. */
  async statusOf(disc: TempIsoState): Promise<string> {
    const { id = "", props } = await tempIso.read(disc.srUuid ?? "", disc);
    return id === "" ? "gone" : (props?.status ?? "");
  }

  remove(disc: TempIsoState): Promise<void> {
    return tempIso.delete(disc.srUuid ?? "", disc);
  }

  /** Runs a script on the host; what it prints, without the last line's end. */
  async run(script: Script): Promise<string> {
    const options = { purpose: "look at the host", timeoutMs: LOOK_TIMEOUT_MS };
    const { status, stdout, stderr } = await this.start.host.exec(script, options);
    if (status !== 0) throw new Error(`The host ended a command with status ${status}: ${stderr.trim()}`);
    return stdout.trimEnd();
  }

  xe<T>(command: XeCommand<T>): Promise<T> {
    return runXeAgain(this.start.host, command);
  }

  /** Notes how long something takes. */
  async time<T>(what: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await work();
    this.timings.set(what, performance.now() - startedAt);
    return result;
  }

  /** What is on the host of this run, each as a line. */
  async leftovers(): Promise<string[]> {
    const [srs, folders] = await Promise.all([this.#srs(), this.#foldersLeft()]);
    return [...srs.map((uuid) => `SR ${uuid}`), ...folders.map((path) => `folder ${path}`)];
  }

  /** Removes all of it, going on past what cannot be removed; {@link leftovers} tells what that is. */
  async clear(): Promise<void> {
    for (const srUuid of await this.#srs()) await forgetSr(this.start.host, srUuid).catch(() => undefined);
    // A folder goes after its SR: an SR without its folder harms the host.
    if ((await this.#srs()).length > 0) return;
    for (const path of await this.#foldersLeft()) await this.#removeFolder(path).catch(() => undefined);
  }

  async #srs(): Promise<string[]> {
    const srs = await this.xe(srList({}));
    return srs.filter((sr) => sr["name-description"]?.includes(this.owner)).map((sr) => sr["uuid"] ?? "");
  }

  async #foldersLeft(): Promise<string[]> {
    const { srMountPath } = this.start;
    const known = [...this.#folders].map((path) => folderAt(path).uuid);
    const names = await this.run(sh`cd -- ${srMountPath} 2>/dev/null || exit 0
mounts=$(cat /proc/self/mounts)
known=${`\n${known.join("\n")}\n`}
for name in ????????-????-????-????-????????????; do
  case "$mounts" in *"/$name "*) continue ;; esac
  [ -d "$name" ] && [ ! -L "$name" ] || continue
  case "$known" in *"
$name
"*) echo "$name"; continue ;; esac
  if grep -qxF ${`owner=${this.owner}`} "$name"/${FILE.pending} 2>/dev/null || ls -A -- "$name" | grep -q ^${this.name}; then
    echo "$name"
  fi
done`);
    return names
      .split("\n")
      .filter(Boolean)
      .map((name) => `${srMountPath}/${name}`);
  }

  async #removeFolder(path: string): Promise<void> {
    await this.run(
      sh`cd -- ${path} && rm -f -- ${this.name}*.iso ${Object.values(FILE)} && rmdir -- ${path}`,
    );
  }
}
