import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { rejectWhenAborted } from "../../../provider/ssh/reject-when-aborted";

const lost = new Error("lost");
const never = new AbortController().signal;

test("rejects with the reason, also of a signal that is aborted already", async () => {
  const link = new AbortController();
  const waiting = rejectWhenAborted(link.signal, never);
  link.abort(lost);
  await expect(waiting).rejects.toBe(lost);
  await expect(rejectWhenAborted(link.signal, never)).rejects.toBe(lost);
});

test("does not reject any more once it is over", async () => {
  const [link, over] = [new AbortController(), new AbortController()];
  const waiting = rejectWhenAborted(link.signal, over.signal);
  over.abort();
  link.abort(lost);
  await expect(Promise.race([waiting, sleep(10, "nothing")])).resolves.toBe("nothing");
});
