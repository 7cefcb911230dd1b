import { constants, promises as fs, type Stats } from "node:fs";
import { join, posix } from "node:path";
import { type Attributes, type SFTPWrapper, utils } from "ssh2";

const { OPEN_MODE, STATUS_CODE } = utils.sftp;

/** The names of a folder that are still to be sent. */
interface Listing {
  readonly folder: string;
  names: string[];
}

/**
 * Serves SFTP over a folder that stands for a host's root.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02
 */
export function serveSftp(sftp: SFTPWrapper, root: string): void {
  const files = new Map<string, fs.FileHandle>();
  const listings = new Map<string, Listing>();
  let handles = 0;
  const newHandle = () => Buffer.from(String(++handles));
  const local = (path: string) => join(root, posix.resolve("/root", path));
  const file = (handle: Buffer) => {
    const found = files.get(handle.toString());
    if (!found) throw new TypeError("no such handle");
    return found;
  };
  const answer = (reqId: number, work: () => Promise<unknown>) => {
    work().catch((error: unknown) => {
      const { message, code }: NodeJS.ErrnoException =
        error instanceof Error ? error : new Error(String(error));
      sftp.status(reqId, statusOf(code), message.replaceAll(root, ""));
    });
  };
  const done = (reqId: number, work: () => Promise<unknown>) => {
    answer(reqId, async () => {
      await work();
      sftp.status(reqId, STATUS_CODE.OK);
    });
  };

  sftp.on("OPEN", (id, path, flags, attributes: Partial<Attributes>) => {
    answer(id, async () => {
      const opened = await fs.open(local(path), openFlags(flags), attributes.mode ?? 0o666);
      const handle = newHandle();
      files.set(handle.toString(), opened);
      sftp.handle(id, handle);
    });
  });
  sftp.on("WRITE", (id, handle, offset, data) => {
    done(id, () => file(handle).write(data, 0, data.length, offset));
  });
  sftp.on("READ", (id, handle, offset, length) => {
    answer(id, async () => {
      const { bytesRead, buffer } = await file(handle).read(Buffer.alloc(length), 0, length, offset);
      if (bytesRead === 0) sftp.status(id, STATUS_CODE.EOF);
      else sftp.data(id, buffer.subarray(0, bytesRead));
    });
  });
  sftp.on("CLOSE", (id, handle) => {
    done(id, async () => {
      const name = handle.toString();
      listings.delete(name);
      await files.get(name)?.close();
      files.delete(name);
    });
  });
  sftp.on("FSTAT", (id, handle) => {
    answer(id, async () => sftp.attrs(id, attributesOf(await file(handle).stat())));
  });
  sftp.on("STAT", (id, path) => {
    answer(id, async () => sftp.attrs(id, attributesOf(await fs.stat(local(path)))));
  });
  sftp.on("LSTAT", (id, path) => {
    answer(id, async () => sftp.attrs(id, attributesOf(await fs.lstat(local(path)))));
  });
  sftp.on("FSETSTAT", (id, handle, attributes) => {
    done(id, () => changeAttributes(attributes, file(handle)));
  });
  sftp.on("SETSTAT", (id, path, attributes) => {
    done(id, async () => {
      const opened = await fs.open(local(path), "r");
      await changeAttributes(attributes, opened).finally(() => opened.close());
    });
  });
  sftp.on("OPENDIR", (id, path) => {
    answer(id, async () => {
      const handle = newHandle();
      listings.set(handle.toString(), { folder: local(path), names: await fs.readdir(local(path)) });
      sftp.handle(id, handle);
    });
  });
  sftp.on("READDIR", (id, handle) => {
    answer(id, async () => {
      const listing = listings.get(handle.toString());
      if (!listing || listing.names.length === 0) {
        sftp.status(id, STATUS_CODE.EOF);
        return;
      }
      const { folder, names } = listing;
      listing.names = [];
      const entries = names.map(async (filename) => {
        const stat = await fs.lstat(join(folder, filename));
        return { filename, longname: longName(filename, stat), attrs: attributesOf(stat) };
      });
      sftp.name(id, await Promise.all(entries));
    });
  });
  sftp.on("REALPATH", (id, path) => {
    const filename = posix.resolve("/root", path);
    sftp.name(id, [{ filename, longname: filename, attrs: NO_ATTRIBUTES }]);
  });
  sftp.on("READLINK", (id, path) => {
    answer(id, async () => {
      const filename = await fs.readlink(local(path));
      sftp.name(id, [{ filename, longname: filename, attrs: NO_ATTRIBUTES }]);
    });
  });
  sftp.on("MKDIR", (id, path, attributes: Partial<Attributes>) => {
    done(id, () => fs.mkdir(local(path), attributes.mode ?? 0o777));
  });
  sftp.on("RMDIR", (id, path) => {
    done(id, () => fs.rmdir(local(path)));
  });
  sftp.on("REMOVE", (id, path) => {
    done(id, () => fs.unlink(local(path)));
  });
  sftp.on("RENAME", (id, from, to) => {
    done(id, async () => {
      // Version 3 of the protocol never replaces a file.
      if (await exists(local(to))) throw new TypeError("there is one of that name");
      await fs.rename(local(from), local(to));
    });
  });
  sftp.on("close", () => {
    for (const each of files.values()) void each.close().catch(() => undefined);
  });
}

const NO_ATTRIBUTES: Attributes = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };

/** A client sends only those that it wants changed. */
async function changeAttributes(attributes: Partial<Attributes>, file: fs.FileHandle): Promise<void> {
  const { mode, size, atime, mtime } = attributes;
  if (size !== undefined) await file.truncate(size);
  if (mode !== undefined) await file.chmod(mode & 0o7777);
  if (atime !== undefined && mtime !== undefined) await file.utimes(atime, mtime);
}

function attributesOf({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes {
  return { mode, uid, gid, size, atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) };
}

/** As `ls -l` prints it: clients read the type off its first letter. */
function longName(name: string, stat: Stats): string {
  const type = stat.isDirectory() ? "d" : stat.isSymbolicLink() ? "l" : "-";
  const rights = Array.from("rwxrwxrwx", (right, index) => (stat.mode & (0o400 >> index) ? right : "-")).join(
    "",
  );
  const date = stat.mtime.toUTCString().replace(/^\w+, (\d+) (\w+) \d+ (\d+:\d+).*$/, "$2 $1 $3");
  return `${type}${rights} ${stat.nlink} ${stat.uid} ${stat.gid} ${stat.size} ${date} ${name}`;
}

function openFlags(flags: number): number {
  const has = (mode: number) => (flags & mode) !== 0;
  const access = has(OPEN_MODE.WRITE)
    ? has(OPEN_MODE.READ)
      ? constants.O_RDWR
      : constants.O_WRONLY
    : constants.O_RDONLY;
  return (
    access |
    (has(OPEN_MODE.APPEND) ? constants.O_APPEND : 0) |
    (has(OPEN_MODE.CREAT) ? constants.O_CREAT : 0) |
    (has(OPEN_MODE.TRUNC) ? constants.O_TRUNC : 0) |
    (has(OPEN_MODE.EXCL) ? constants.O_EXCL : 0)
  );
}

function exists(path: string): Promise<boolean> {
  return fs.lstat(path).then(
    () => true,
    () => false,
  );
}

function statusOf(code: string | undefined): number {
  if (code === "ENOENT") return STATUS_CODE.NO_SUCH_FILE;
  if (code === "EACCES" || code === "EPERM") return STATUS_CODE.PERMISSION_DENIED;
  return STATUS_CODE.FAILURE;
}
