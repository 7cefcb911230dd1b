import { expect, test } from "vitest";
import { parseScan } from "../../../provider/host/scan-folders";

const uuid = "7b84f233-8aa3-468d-b254-fd585194da21";
const scan = (...lines: string[]) =>
  parseScan([`folder=${uuid}`, "mode=700", "age=90", ...lines, ""].join("\n"), "/var/opt/xen-iso");

test("nothing was printed: there is no folder", () => {
  expect(parseScan("", "/var/opt/xen-iso")).toEqual([]);
});

test("a complete disc: its image and its record, whatever the image's name", () => {
  expect(scan("file=40960 80 a = b.iso", "file=90 80 image")).toEqual([
    {
      folder: { srMountPath: "/var/opt/xen-iso", uuid },
      mode: "700",
      marker: undefined,
      image: { name: "a = b.iso", sizeBytes: 40_960, ageSeconds: 80 },
      hasOthers: false,
      ageSeconds: 90,
    },
  ]);
});

test("a create under way: its marker, and what has arrived", () => {
  const [folder] = scan(
    "owner=urn:x",
    "iso=web-1.iso",
    "under-way=",
    "file=1000 1 upload",
    "file=9 1 pending",
  );
  expect(folder?.marker).toEqual({
    owner: "urn:x",
    isoName: "web-1.iso",
    isCopy: false,
    isUnderWay: true,
  });
  expect(folder?.image?.sizeBytes).toBe(1_000);
  expect(folder?.hasOthers).toBe(false);
});

test.each([
  ["urn:x\tacme", false],
  ["urn:x (copy)\t44468271-9e5b-463e-91d3-bcb67feb3a01", true],
])("the owner %j is that of its URN", (text, isCopy) => {
  expect(scan(`owner=${text}`)[0]?.marker).toMatchObject({ owner: "urn:x", isCopy });
});

test.each([["other="], ["file=1 1 notes.txt"], ["file=1 1 b.iso"]])("%s is not ours", (line) => {
  expect(scan("file=40960 80 a.iso", line)[0]?.hasOthers).toBe(true);
});

test("two folders are two paragraphs", () => {
  const text = `folder=${uuid}\nmode=700\nage=1\n\nfolder=44468271-9e5b-463e-91d3-bcb67feb3a01\nmode=755\nage=2\n`;
  expect(parseScan(text, "/srv").map(({ mode }) => mode)).toEqual(["700", "755"]);
});
