import { expect, test } from "vitest";
import { HostError } from "../../../provider/host/error";
import { RollbackIncompleteError } from "../../../provider/host/rollback";
import { atEngine, CreatedButFailedError } from "../../../provider/lifecycle/engine-error";

async function thrownBy(error: unknown): Promise<Record<string, unknown>> {
  return atEngine(() => {
    throw error;
  }).catch((thrown: unknown) => thrown as Record<string, unknown>);
}

test("what is undefined is left out, at every depth", async () => {
  const result = await atEngine(() => ({ a: undefined, b: { c: undefined, d: [1, undefined] }, e: null }));
  expect(result).toEqual({ b: { d: [1, null] }, e: null });
  expect(Object.keys(result)).toEqual(["b", "e"]);
});

test.each([[new Map()], [() => 1], [NaN], [1n], [new Date()], [Symbol("s")]])(
  "%s is refused",
  async (value) => {
    await expect(atEngine(() => ({ outs: { value } }))).rejects.toThrow(
      "result.outs.value of the provider is not JSON.",
    );
  },
);

test("an error keeps its message alone: a code or an id would change its meaning", async () => {
  const thrown = await thrownBy(
    Object.assign(new Error("no such file"), { code: 2, id: "x", properties: {} }),
  );
  expect(thrown).toMatchObject({ message: "no such file", stack: "" });
  expect(thrown).not.toHaveProperty("code");
  expect(thrown).not.toHaveProperty("id");
});

test("a disc that was made but failed keeps what is stored of it, without undefined", async () => {
  const error = new CreatedButFailedError(
    "1",
    { status: "incomplete", srUuid: undefined },
    new Error("cause"),
  );
  const thrown = await thrownBy(error);
  expect(thrown).toMatchObject({ id: "1", reasons: ["cause"], properties: { status: "incomplete" } });
  expect(Object.keys(thrown["properties"] as object)).toEqual(["status"]);
});

test("an error with a code links to what to do about it, once, and so does one that it caused", async () => {
  const page = "https://github.com/pulumi-xen-iso/pulumi-xen-iso/blob/main/docs/troubleshooting.md";
  const cause = new HostError("NO_ROOM", "xen1:22", "There is no room.");
  expect(await thrownBy(cause)).toMatchObject({ message: `There is no room.\nSee ${page}#no_room` });

  const incomplete = new RollbackIncompleteError(cause, [{ what: "the folder", error: new Error("busy") }]);
  const thrown = await thrownBy(new CreatedButFailedError("1", {}, incomplete));
  const expected = `${incomplete.message}\nSee ${page}#no_room`;
  expect(thrown).toMatchObject({ message: expected, reasons: [expected] });
});
