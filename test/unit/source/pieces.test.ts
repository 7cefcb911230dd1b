import { expect, test } from "vitest";
import { peek } from "../../../provider/source/pieces";

function source(...texts: string[]) {
  const state = { isClosed: false };
  async function* pieces() {
    try {
      for (const text of texts) yield await Promise.resolve(Buffer.from(text));
    } finally {
      state.isClosed = true;
    }
  }
  return { pieces: pieces(), state };
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all).toString();
}

test.each([
  [["ab", "cd", "ef"], 3, "abc"],
  [["ab"], 3, "ab"],
  [[], 3, ""],
  [["abcdef"], 0, ""],
])("of %j the first %i bytes are looked at, and all can still be read", async (texts, length, expected) => {
  const { head, all } = await peek(source(...texts).pieces, length);
  expect(head.toString()).toBe(expected);
  expect(await textOf(all)).toBe(texts.join(""));
});

test("a reader that stops closes the source", async () => {
  const { pieces, state } = source("ab", "cd", "ef");
  const { all } = await peek(pieces, 1);
  for await (const piece of all) {
    expect(Buffer.from(piece).toString()).toBe("ab");
    break;
  }
  expect(state.isClosed).toBe(true);
});
