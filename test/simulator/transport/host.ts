/** How to log in to a simulated host. */
export interface HostConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Missing where the transport cannot take passwords. */
  readonly password?: string;
  /** In OpenSSH form. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
}

/** A command that was run on a host over SSH, as it went. */
export interface HostCommand {
  readonly command: string;
  readonly startedAt: Date;
  /** `undefined` while it runs, and where a signal ended it. */
  status: number | undefined;
  durationMs: number | undefined;
}

/** What `stat -f` says of a place on a host. */
export interface Space {
  /** Absolute path on the host; it holds for what lies below it too. */
  readonly path: string;
  readonly totalBytes: number;
  readonly availableBytes: number;
  /** As `stat -f -c %T` prints it: `ext2/ext3`, `tmpfs` … */
  readonly type: string;
}

/** How a host is reached: SSH of one kind or the other, and a view of its files. */
export interface Transport {
  readonly connection: HostConnection;
  /** Logins so far. */
  readonly connections: number;
  /** Commands and SFTP sessions so far. */
  readonly sessions: number;
  /** Commands so far, where the transport can see them. */
  readonly commands: readonly HostCommand[];
  /** Path on this machine of an absolute path on the host. */
  path(hostPath: string): string;
  setSpace(space: Space): void;
  setMemory(memory: { totalBytes: number; availableBytes: number }): void;
  /** Ends every login and whatever these run, and listens no more. */
  stopSshd(): Promise<void>;
  /** Listens again, on the same port. */
  startSshd(): Promise<void>;
  /** Ends what runs, and with it what lies in `/run`. */
  powerOff(): Promise<void>;
  /** Listens again after {@link powerOff}, on the same port. */
  powerOn(): Promise<void>;
  /** Ends it for good; nothing is left. */
  dispose(): Promise<void>;
}

/** What every transport is started with. */
export interface TransportOptions {
  /** Where sshd listens; a port that is free when none is named. */
  readonly listenOn: { readonly host: string; readonly port?: number };
  readonly hostUuid: string;
  readonly hostName: string;
  readonly xapi: { readonly port: number; readonly token: string };
  readonly bashrc: string | undefined;
  readonly passwordMethod: "password" | "keyboard-interactive";
  readonly sftp: "external" | "internal";
}
