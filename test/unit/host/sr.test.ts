import { expect, test } from "vitest";
import { locationOf } from "../../../provider/host/sr";

const uuid = "7b84f233-8aa3-468d-b254-fd585194da21";

test.each([
  [`location: /var/opt/xen-iso/${uuid}; legacy_mode: true`, `/var/opt/xen-iso/${uuid}`],
  [`legacy_mode: true; location: /srv/a; b/${uuid}`, `/srv/a; b/${uuid}`],
  [`location: /var/opt/xen-iso/${uuid}/sub`, undefined],
  [`location: nfs:/x/${uuid}`, undefined],
  ["legacy_mode: true", undefined],
])("of %j the folder is %s", (config, expected) => {
  expect(locationOf({ "device-config": config }, uuid)).toBe(expected);
});
