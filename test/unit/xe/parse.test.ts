import { expect, test } from "vitest";
import { parseRecords, parseUuid } from "../../../provider/xe/parse";

const UUID = "7b84f233-8aa3-468d-b254-fd585194da21";

test("reads the records of the long form", () => {
  const stdout = `uuid ( RO)             : ${UUID}
          vm-uuid ( RO): 1f0c
    vm-name-label ( RO): web: 1 ( RO): x
             type ( RW): CD
            empty ( RO): false


uuid ( RO)             : 2
            empty ( RO): true
	 	
uuid ( RO)             : 3
`;
  expect(parseRecords(stdout)).toEqual([
    { uuid: UUID, "vm-uuid": "1f0c", "vm-name-label": "web: 1 ( RO): x", type: "CD", empty: "false" },
    { uuid: "2", empty: "true" },
    { uuid: "3" },
  ]);
});

test("no match is no record", () => {
  expect(parseRecords("")).toEqual([]);
  expect(parseRecords("\n")).toEqual([]);
});

test("a field may be empty", () => {
  expect(parseRecords("uuid ( RO)    : 1\n  name-label ( RW): \n")).toEqual([
    { uuid: "1", "name-label": "" },
  ]);
});

test("takes a UUID with an empty line behind it, and nothing else", () => {
  expect(parseUuid(`${UUID}\n\n`)).toBe(UUID);
  expect(() => parseUuid("Error: no")).toThrow('Expected a UUID from xe, got: "Error: no"');
  expect(() => parseUuid("x".repeat(300))).toThrow(new RegExp(`"x{200}"$`));
  for (const text of [`x${UUID}`, `${UUID}x`, UUID.toUpperCase()]) expect(() => parseUuid(text)).toThrow();
});
