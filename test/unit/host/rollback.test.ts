import { expect, test } from "vitest";
import { RollbackIncompleteError, withRollback } from "../../../provider/host/rollback";

test("nothing is undone when all steps succeed", async () => {
  const undone: string[] = [];
  const result = await withRollback((undo) => {
    undo("a", () => Promise.resolve(void undone.push("a")));
    return Promise.resolve(1);
  });
  expect(result).toBe(1);
  expect(undone).toEqual([]);
});

test("what was registered is undone, last first, and the cause is thrown", async () => {
  const undone: string[] = [];
  const cause = new Error("step");
  const attempt = withRollback((undo) => {
    for (const what of ["a", "b"]) undo(what, () => Promise.resolve(void undone.push(what)));
    return Promise.reject(cause);
  });
  await expect(attempt).rejects.toBe(cause);
  expect(undone).toEqual(["b", "a"]);
});

test("a failed undo ends the rollback, because what is beneath it must stay, and is told with the cause first", async () => {
  const undone: string[] = [];
  const attempt = withRollback((undo) => {
    undo("the folder", () => Promise.resolve(void undone.push("folder")));
    undo("the SR", () => Promise.reject(new Error("in use")));
    return Promise.reject(new Error("no VDI."));
  });
  await expect(attempt).rejects.toThrow(RollbackIncompleteError);
  await expect(attempt).rejects.toThrow(
    /^no VDI\. Could not be undone: the SR \(in use\); the folder \(not tried\)\./,
  );
  expect(undone).toEqual([]);
});

test("an undo that does not end is given up", async () => {
  const rolledBack = withRollback((undo) => {
    undo("the folder", () => new Promise(() => undefined));
    undo("the SR", () => new Promise(() => undefined));
    return Promise.reject(new Error("cause"));
  }, 50);
  await expect(rolledBack).rejects.toThrow(
    /^cause Could not be undone: the SR \(not done within 0\.05 s\); the folder \(not tried\)\./,
  );
});
