import { expect, test } from "vitest";
import { HostError } from "../../../provider/host/error";
import { withHelpLine } from "../../../provider/host/help-line";
import { IsoBuildError } from "../../../provider/iso/check";
import { SourceError } from "../../../provider/source/error";
import { SshError } from "../../../provider/ssh/error";
import { XeError } from "../../../provider/xe/error";

const PAGE = "https://github.com/pulumi-xen-iso/pulumi-xen-iso/blob/main/docs/troubleshooting.md";

const xeError = (code: string) => new XeError(code, [], "sr-forget", "xen1:22", "words");

test.each([
  [new HostError("NO_ROOM", "xen1:22", "m"), "no_room"],
  [new SshError("UNREACHABLE", "xen1:22", "m"), "unreachable"],
  [new SourceError("HTTP_STATUS", "m"), "http_status"],
  [new IsoBuildError("ISO_FILE_CHANGED", []), "iso_file_changed"],
  [xeError("SR_HAS_PBD"), "sr_has_pbd"],
  [xeError("SR_BACKEND_FAILURE_226"), "sr_backend_failure_226"],
  [xeError("UNKNOWN"), "unknown"],
  // One of the many that xapi has, and the page has not.
  [xeError("SR_BACKEND_FAILURE_47"), "the-toolstack"],
  [new Error("m", { cause: new Error("m", { cause: xeError("VDI_IN_USE") }) }), "vdi_in_use"],
])("%s gets a link to what to do about its code", (error, anchor) => {
  expect(withHelpLine("Failed.", error)).toBe(`Failed.\nSee ${PAGE}#${anchor}`);
});

test.each([
  new Error("m"),
  new TypeError("m"),
  Object.assign(new Error("m"), { code: "ENOENT" }),
  "text",
  undefined,
])("%s gets none", (error) => {
  expect(withHelpLine("Failed.", error)).toBe("Failed.");
});
