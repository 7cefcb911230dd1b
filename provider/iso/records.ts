/** The structures of ECMA-119 as bytes. */

export const SECTOR_BYTES = 2048;

/** Where an extent is on the disc. */
export interface Extent {
  readonly sector: number;
  readonly sizeBytes: number;
}

/**
 * The date of everything, 1 January 1980 at 0:00 UTC: the same on every machine, and valid on every system
 * (ECMA-119 §9.1.5).
 */
export const DATE = Buffer.from([80, 1, 1, 0, 0, 0, 0]);

/** A record's length is one byte, and even. */
export const LONGEST_RECORD = 254;

/** Without system use. */
export const recordBytes = (identifier: Buffer) => 33 + identifier.length + ((identifier.length + 1) % 2);

/** @see ECMA-119 §9.1 */
export function directoryRecord(record: {
  readonly identifier: Buffer;
  readonly extent: Extent;
  readonly isFolder: boolean;
  readonly systemUse: Buffer;
}): Buffer {
  const { identifier, extent, isFolder, systemUse } = record;
  const length = recordBytes(identifier) + systemUse.length + (systemUse.length % 2);
  const fields = [
    Buffer.from([length, 0]),
    both32(extent.sector),
    both32(extent.sizeBytes),
    DATE,
    Buffer.from([isFolder ? 2 : 0, 0, 0]),
    both16(1),
    Buffer.from([identifier.length]),
    padded(identifier, recordBytes(identifier) - 33),
    systemUse,
  ];
  return padded(Buffer.concat(fields), length);
}

/** @see ECMA-119 §9.4 */
export function pathTableRecord(record: {
  readonly identifier: Buffer;
  readonly sector: number;
  readonly parentNumber: number;
  readonly byteOrder: ByteOrder;
}): Buffer {
  const { identifier, sector, parentNumber, byteOrder } = record;
  const head = Buffer.from([identifier.length, 0]);
  const numbers = [integer(sector, 4, byteOrder), integer(parentNumber, 2, byteOrder)];
  return Buffer.concat([head, ...numbers, padded(identifier, identifier.length + (identifier.length % 2))]);
}

/**
 * The primary descriptor (type 1) or Joliet's supplementary one (2), which have the same fields. Dates are left
 * unspecified: `blkid` derives the volume's UUID from them, and two discs of a machine must not share a UUID.
 *
 * @see ECMA-119 §8.4, §8.5
 */
export function volumeDescriptor(volume: {
  readonly type: 1 | 2;
  readonly volumeLabel: Buffer;
  /** A space in the descriptor's character set. */
  readonly blank: Buffer;
  /** The escape sequence of the character set; empty in the primary descriptor. */
  readonly escapeSequences: string;
  readonly sectors: number;
  readonly littlePathTable: Extent;
  readonly bigPathTable: Extent;
  readonly root: Extent;
}): Buffer {
  const { type, volumeLabel, blank, littlePathTable, bigPathTable, root } = volume;
  const text = (length: number) => Buffer.alloc(length, blank);
  const fields = [
    descriptorHead(type),
    Buffer.alloc(1),
    text(32), // system
    Buffer.concat([volumeLabel, text(32 - volumeLabel.length)]),
    Buffer.alloc(8),
    both32(volume.sectors),
    padded(Buffer.from(volume.escapeSequences), 32),
    both16(1), // volumes
    both16(1), // number of this one
    both16(SECTOR_BYTES),
    both32(littlePathTable.sizeBytes),
    padded(integer(littlePathTable.sector, 4, "little"), 8),
    padded(integer(bigPathTable.sector, 4, "big"), 8),
    directoryRecord({ identifier: SELF, extent: root, isFolder: true, systemUse: Buffer.alloc(0) }),
    ...[128, 128, 128, 128].map(text), // volume set, publisher, preparer, application
    ...[37, 37, 37].map(text), // files with copyright, abstract, bibliography
    ...Array<Buffer>(4).fill(padded(Buffer.alloc(16, "0"), 17)), // dates
    Buffer.from([1]),
  ];
  return padToSector(Buffer.concat(fields));
}

/** @see ECMA-119 §8.3 */
export const setTerminator = () => padToSector(descriptorHead(255));

const descriptorHead = (type: number) => Buffer.concat([Buffer.from([type]), Buffer.from("CD001\x01")]);

/** In a folder, the identifiers of the folder itself and of its parent (ECMA-119 §7.6.2). */
export const SELF = Buffer.from([0]);
export const PARENT = Buffer.from([1]);

/** Concatenates pieces so that none crosses the end of a sector. Each must be shorter than a sector. */
export function pack(pieces: readonly Buffer[]): { bytes: Buffer; offsets: number[] } {
  let end = 0;
  const offsets = pieces.map(({ length }) => {
    const room = SECTOR_BYTES - (end % SECTOR_BYTES);
    const offset = length > room ? end + room : end;
    end = offset + length;
    return offset;
  });
  const bytes = Buffer.alloc(sectorsOf(end) * SECTOR_BYTES);
  for (const [index, piece] of pieces.entries()) bytes.set(piece, offsets[index]);
  return { bytes, offsets };
}

export const sectorsOf = (sizeBytes: number) => Math.ceil(sizeBytes / SECTOR_BYTES);

export const padToSector = (bytes: Buffer) => padded(bytes, sectorsOf(bytes.length) * SECTOR_BYTES);

const padded = (bytes: Buffer, length: number) => Buffer.concat([bytes], length);

type ByteOrder = "little" | "big";

function integer(value: number, length: 2 | 4, byteOrder: ByteOrder): Buffer {
  const bytes = Buffer.alloc(length);
  if (byteOrder === "little") bytes.writeUIntLE(value, 0, length);
  else bytes.writeUIntBE(value, 0, length);
  return bytes;
}

/** ECMA-119 §7.2.3, §7.3.3: little-endian, then big-endian. */
const both = (value: number, length: 2 | 4) =>
  Buffer.concat([integer(value, length, "little"), integer(value, length, "big")]);

export const both32 = (value: number) => both(value, 4);

const both16 = (value: number) => both(value, 2);
