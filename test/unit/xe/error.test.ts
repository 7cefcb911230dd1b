import { expect, test } from "vitest";
import { parseXeError, XeError, xeErrorOf } from "../../../provider/xe/error";

test.each([
  ["The uuid you supplied was invalid.\ntype: SR\nuuid: 2b1c\n", "UUID_INVALID", ["SR", "2b1c"]],
  [
    "Error code: SR_BACKEND_FAILURE_226\nError parameters: , Invalid local path, \n",
    "SR_BACKEND_FAILURE_226",
    ["", "Invalid local path", ""],
  ],
  ["Lost connection to the server.\n", "REPLY_LOST", []],
  ["Error: Connection refused (calling connect )\n", "TOOLSTACK_DOWN", []],
  ["The host toolstack is still initialising. Please wait.\n", "TOOLSTACK_DOWN", []],
  [
    "This operation cannot be performed because this VDI is in use by some other operation\nvdi: 1 (x)\noperation: <unknown>\n",
    "VDI_IN_USE",
    ["1 (x)", "<unknown>"],
  ],
  ["Something nobody has seen.\n", "UNKNOWN", []],
  ["Error code: SR_BACKEND_FAILURE_40\n", "SR_BACKEND_FAILURE_40", [""]],
  ["Not an Error code: X\n", "UNKNOWN", []],
])("reads %j", (stderr, code, params) => {
  expect(parseXeError(stderr)).toEqual({ code, params });
});

test("a message says what failed, what to do, and the host's own words, in this order", () => {
  const words = "Cannot perform operation as the host is running in emergency mode.";
  const { message } = new XeError("HOST_IN_EMERGENCY_MODE", [], "sr-create", "xen1.example.net:22", words);
  const unknown = new XeError("SOME_NEW_CODE", [], "sr-create", "xen1.example.net:22", "No idea.");
  expect(unknown.name).toBe("XeError");
  expect(unknown.message).toBe(
    "xe sr-create failed on xen1.example.net:22 (SOME_NEW_CODE). See what the host says, and " +
      "/var/log/xensource.log and /var/log/SMlog on it. The host says: No idea.",
  );
  expect(message).toMatch(
    /^xe sr-create failed on xen1\.example\.net:22 .*coordinator.*The host says: Cannot perform/,
  );
});

test.each([
  ["Lost connection to the server.", "unknown"],
  ["Error: Connection reset by peer (calling read )", "unknown"],
  ["Unable to contact server.", "unknown"],
  ["Failed to contact a running management agent.", "unknown"],
  [
    "Cannot forward messages because the server cannot be contacted. The server may be switched off.",
    "unknown",
  ],
  ["Error code: INTERNAL_ERROR\nError parameters: Unix.Unix_error", "unknown"],
  ["Something nobody has seen.", "unknown"],
  ["Error code: SR_BACKEND_FAILURE_226\nError parameters: , Invalid local path, ", "refused"],
  ["Error: Connection refused (calling connect )", "refused"],
  ["Cannot perform operation as the host is running in emergency mode.", "refused"],
  ["Required parameter not found: host-uuid", "refused"],
])("after %j the outcome of the call is %s", (stderr, outcome) => {
  expect(xeErrorOf({ command: "sr-create", host: "xen1.example.net:22", stderr }).outcome).toBe(outcome);
});
