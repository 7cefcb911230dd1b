import { expect, test } from "vitest";
import {
  both32,
  directoryRecord,
  pack,
  padToSector,
  recordBytes,
  SECTOR_BYTES,
  setTerminator,
} from "../../../provider/iso/records";

test("writes numbers in both byte orders", () => {
  expect(both32(0x01020304).toString("hex")).toBe("0403020101020304");
});

test.each(["a", "ab"])("a record's length is even, and its first byte: %s", (name) => {
  const identifier = Buffer.from(name);
  const record = directoryRecord({
    identifier,
    extent: { sector: 20, sizeBytes: 5 },
    isFolder: false,
    systemUse: Buffer.alloc(3),
  });
  expect(record.length % 2).toBe(0);
  expect(record[0]).toBe(record.length);
  expect(recordBytes(identifier)).toBe(34 + (name.length - 1) * 2);
});

test("packs pieces so that none crosses the end of a sector", () => {
  const { bytes, offsets } = pack([Buffer.alloc(2_000, 1), Buffer.alloc(100, 2)]);
  expect(offsets).toEqual([0, SECTOR_BYTES]);
  expect(bytes.length).toBe(2 * SECTOR_BYTES);
  expect(bytes[SECTOR_BYTES]).toBe(2);
});

test("fills sectors", () => {
  expect(padToSector(Buffer.alloc(1)).length).toBe(SECTOR_BYTES);
  expect(setTerminator().toString("latin1", 0, 7)).toBe("\xffCD001\x01");
});
