import { expect, test } from "vitest";
import type { TempIsoInputs } from "../../../provider/lifecycle/inputs";
import {
  chosenFor,
  type TempIsoState,
  updatedState,
  whatIsLeft,
} from "../../../provider/lifecycle/temp-iso-state";

const nonce = "7b84f233-8aa3-468d-b254-fd585194da21";
const inputs: TempIsoInputs = {
  connection: { host: "xen1", password: "old" },
  isoPath: "seed.iso",
  srMountPath: "/var/opt/xen-iso",
  owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
  isoSha256: "a".repeat(64),
  nonce,
};

test("chooses names with the resource's name and the nonce", () => {
  const { folder, chosen } = chosenFor(inputs);
  expect(folder).toEqual({ srMountPath: "/var/opt/xen-iso", uuid: nonce });
  expect(chosen).toEqual({
    srName: "web-1-7b84f233",
    isoName: `web-1-${nonce}.iso`,
    srPath: `/var/opt/xen-iso/${nonce}`,
  });
});

test("keeps names that the program chose", () => {
  const { chosen } = chosenFor({ ...inputs, srName: "seed", isoName: "seed.iso" });
  expect(chosen).toMatchObject({ srName: "seed", isoName: "seed.iso" });
});

test("an update keeps what create made, and of the rest stores only what the program gives now", () => {
  const reached = { host: "xen1", port: 22, user: "root" };
  const olds = {
    ...inputs,
    ...chosenFor(inputs).chosen,
    ...reached,
    isoSize: 4_096,
    status: "ready",
    srUuid: "sr-1",
    secretOfAnOldRelease: "s3cret",
  } as unknown as TempIsoState;
  const news: TempIsoInputs = { ...inputs, connection: { host: "xen1", password: "new" } };
  const updated = updatedState(olds, news, reached as never);
  expect(updated).toMatchObject({
    srUuid: "sr-1",
    isoSize: 4_096,
    status: "ready",
    connection: { password: "new" },
  });
  expect(JSON.stringify(updated)).not.toMatch(/s3cret|old/);
});

test("names what is left by SR, if there is one, and file", () => {
  const state = { srPath: "/srv/x", isoName: "a.iso" } as unknown as TempIsoState;
  expect(whatIsLeft(state)).toBe("/srv/x/a.iso");
  expect(whatIsLeft({ ...state, srUuid: "sr-1" })).toBe("SR sr-1, /srv/x/a.iso");
});
