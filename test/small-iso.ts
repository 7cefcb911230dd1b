/**
 * A small ISO 9660 image with a few files in its root folder: what the demo and the tests put on a host.
 * Interchange level 1, no extensions (ECMA-119).
 */

const SECTOR_BYTES = 2048;

/** Where things lie, in sectors: after the system area the volume's descriptors, path tables, root, files. */
const LAYOUT = { primary: 16, terminator: 17, littlePathTable: 18, bigPathTable: 19, root: 20, files: 21 };

/**
 * @param files name (8.3, upper case) to content
 * @param volumeLabel at most 32 characters
 */
export function smallIso(files: Readonly<Record<string, string>>, volumeLabel = "CIDATA"): Buffer {
  let sector = LAYOUT.files;
  const placed = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => {
      const content = Buffer.from(text);
      const file = { name: `${name};1`, content, sector };
      sector += Math.max(1, Math.ceil(content.length / SECTOR_BYTES));
      return file;
    });

  const image = Buffer.alloc(sector * SECTOR_BYTES);
  const at = (number: number) => image.subarray(number * SECTOR_BYTES);
  writePrimaryDescriptor(at(LAYOUT.primary), volumeLabel, sector);
  at(LAYOUT.terminator).write("\xffCD001\x01", "latin1");
  at(LAYOUT.littlePathTable).set([1, 0, LAYOUT.root, 0, 0, 0, 1, 0, 0, 0]);
  at(LAYOUT.bigPathTable).set([1, 0, 0, 0, 0, LAYOUT.root, 0, 1, 0, 0]);

  const records = [
    directoryRecord("\0", LAYOUT.root, SECTOR_BYTES, true),
    directoryRecord("\x01", LAYOUT.root, SECTOR_BYTES, true),
    ...placed.map((file) => directoryRecord(file.name, file.sector, file.content.length, false)),
  ];
  at(LAYOUT.root).set(Buffer.concat(records));
  for (const file of placed) at(file.sector).set(file.content);
  return image;
}

function writePrimaryDescriptor(descriptor: Buffer, volumeLabel: string, sectors: number): void {
  descriptor.write("\x01CD001\x01", "latin1");
  descriptor.fill(" ", 8, 72);
  descriptor.write(volumeLabel, 40, "latin1");
  writeBoth32(descriptor, 80, sectors);
  for (const [offset, value] of [
    [120, 1],
    [124, 1],
    [128, SECTOR_BYTES],
  ] as const)
    writeBoth16(descriptor, offset, value);
  writeBoth32(descriptor, 132, 10);
  descriptor.writeUInt32LE(LAYOUT.littlePathTable, 140);
  descriptor.writeUInt32BE(LAYOUT.bigPathTable, 148);
  descriptor.set(directoryRecord("\0", LAYOUT.root, SECTOR_BYTES, true), 156);
  descriptor.fill(" ", 190, 813);
  for (const offset of [813, 830, 847, 864]) descriptor.write("0000000000000000\0", offset, "latin1");
  descriptor[881] = 1;
}

/** ECMA-119 §9.1; the date is always the same, so that the same files make the same image. */
function directoryRecord(name: string, sector: number, length: number, isFolder: boolean): Buffer {
  const record = Buffer.alloc(33 + name.length + ((name.length + 1) % 2));
  record[0] = record.length;
  writeBoth32(record, 2, sector);
  writeBoth32(record, 10, length);
  record.set([126, 1, 1, 0, 0, 0, 0], 18);
  record[25] = isFolder ? 2 : 0;
  writeBoth16(record, 28, 1);
  record[32] = name.length;
  record.write(name, 33, "latin1");
  return record;
}

/** Numbers stand in both byte orders, one after the other. */
function writeBoth32(buffer: Buffer, offset: number, value: number): void {
  buffer.writeUInt32LE(value, offset);
  buffer.writeUInt32BE(value, offset + 4);
}

function writeBoth16(buffer: Buffer, offset: number, value: number): void {
  buffer.writeUInt16LE(value, offset);
  buffer.writeUInt16BE(value, offset + 2);
}
