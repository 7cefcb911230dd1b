import { describe, expect, test } from "vitest";
import {
  assertCloudInitArguments,
  cloudConfigOf,
  metaDataOf,
  networkConfigOf,
  userDataOf,
} from "../../../provider/iso/cloud-init";
import { KEY, NETWORK, SETTINGS } from "../../cloud-init-settings";

describe("user-data", () => {
  test("is cloud-config, with strings quoted that YAML 1.1 takes for something else", () => {
    expect(userDataOf(SETTINGS)).toBe(`#cloud-config
locale: "no"
packages:
  - nginx
runcmd:
  - - echo
    - "Grüße: @all #1"
ssh_authorized_keys:
  - ${KEY}
users:
  - default
  - groups:
      - sudo
      - adm
    hashed_passwd: "$6$salt$hash/with.dots"
    lock_passwd: false
    name: admin
    shell: /bin/bash
    ssh_authorized_keys:
      - ${KEY}
    sudo: "ALL=(ALL) NOPASSWD:ALL"
  - name: guest
write_files:
  - content: |
      Hello: 'you'
        "and" you
    path: /etc/motd
    permissions: "0644"
`);
  });

  test("of nothing is an empty cloud-config", () => {
    expect(userDataOf({})).toBe("#cloud-config\n{}\n");
  });

  test("that is given as a text is taken as it is", () => {
    expect(userDataOf({ userData: "#!/bin/sh\r\ntrue" })).toBe("#!/bin/sh\r\ntrue");
    expect(() => userDataOf({ userData: "#!/bin/sh", users: [] })).toThrow(
      /userData is text, to which users/,
    );
    expect(() => userDataOf({ userData: "#!/bin/sh", sshAuthorizedKeys: [KEY] })).toThrow(/userData is text/);
  });

  test("has the program's own keys where there are two", () => {
    expect(userDataOf({ users: [{ name: "a" }], userData: { users: [] } })).toBe(
      "#cloud-config\nusers: []\n",
    );
  });

  test("takes no password for its hash, and does not tell it", () => {
    const settings = { users: [{ name: "admin", passwordHash: "hunter2" }] };
    expect(() => userDataOf(settings)).toThrow(
      /passwordHash of user "admin" is not a hash such as `mkpasswd/,
    );
    expect(() => userDataOf(settings)).not.toThrow(/hunter2/);
  });
});

test("the image's own user is named once, where the program says", () => {
  const admin = { name: "admin" };
  expect(userDataOf({ users: ["default", admin] })).toBe(userDataOf({ users: [admin] }));
  expect(userDataOf({ users: [admin, "default"] })).toBe(
    "#cloud-config\nusers:\n  - name: admin\n  - default\n",
  );
});

test.each<[string, unknown, RegExp]>([
  ["users that are no list", { users: { name: "a" } }, /^cloudInit: users must be a list\.$/],
  ["a user's name alone", { users: ["bob"] }, /users\[0\] must be an object .*, or "default"/],
  ["a user without a name", { users: [{}] }, /users\[0\]\.name must be a non-empty string/],
  ["a user with an empty name", { users: [{ name: "" }] }, /users\[0\]\.name must be a non-empty string/],
  [
    "a list with another value among the keys",
    { users: [{ name: "a", sshAuthorizedKeys: [KEY, 7] }] },
    /users\[0\]\.sshAuthorizedKeys must be a list of strings/,
  ],
  [
    "a hash that does not begin as one",
    { users: [{ name: "a", passwordHash: "x$6$salt$hash" }] },
    /is not a hash such as/,
  ],
  [
    "a user's field by cloud-init's name",
    { users: ["default", { name: "a", ssh_authorized_keys: [KEY] }] },
    /users\[1\]\.ssh_authorized_keys is not a field of a user; did you mean sshAuthorizedKeys\?/,
  ],
  [
    "a user's keys as a text",
    { users: [{ name: "a", sshAuthorizedKeys: KEY }] },
    /must be a list of strings/,
  ],
  ["keys as a text", { sshAuthorizedKeys: KEY }, /sshAuthorizedKeys must be a list of strings/],
  ["user-data as a list", { userData: ["nginx"] }, /userData must be a string or an object/],
])("user-data refuses %s", (_title, settings, message) => {
  expect(() => userDataOf(settings as never)).toThrow(message);
});

test.each([
  [{ userdata: {} }, /^cloudInit: userdata is not an argument; did you mean userData\?\.?$/],
  [{ user_data: {} }, /did you mean userData\?/],
  [{ ssh: [] }, /ssh is not an argument; expected one of hostname, users, /],
])("refuses %j by the name", (args, message) => {
  expect(() => assertCloudInitArguments(args)).toThrow(message);
});

test("network-config as text is used as it is, if it is YAML", () => {
  for (const text of ["version: 1\nconfig: []\n", "network: {version: 2}", '{"version": 2}'])
    expect(networkConfigOf(text)).toBe(text);
  for (const text of ["", "eth0", "- a", "a: [", "a: b: c"])
    expect(() => networkConfigOf(text)).toThrow(/network is a text, but not a YAML mapping/);
  for (const network of [["a"], 1, null])
    expect(() => networkConfigOf(network as never)).toThrow(/network must be a string or an object/);
});

test("vendor-data is a text, or cloud-config", () => {
  expect(cloudConfigOf("#!/bin/sh\n")).toBe("#!/bin/sh\n");
  expect(cloudConfigOf({ packages: ["nginx"] })).toBe("#cloud-config\npackages:\n  - nginx\n");
});

test("network-config is of version 2 alone", () => {
  expect(networkConfigOf({ ethernets: { eth0: { dhcp4: true } } })).toBe(
    "ethernets:\n  eth0:\n    dhcp4: true\nversion: 2\n",
  );
  expect(networkConfigOf({ version: 2, ...NETWORK })).toBe(networkConfigOf(NETWORK));
  for (const network of [{ version: 1, config: [] }, { network: NETWORK }, { config: [] }])
    expect(() => networkConfigOf(network)).toThrow(/network takes version 2/);
});

describe("meta-data", () => {
  const content = { hostname: "web-1", userData: "a", vendorData: "b", networkConfig: "c" };

  test("has the host's name, and an ID made from the content", () => {
    expect(metaDataOf(content)).toMatch(/^instance-id: iid-[0-9a-f]{16}\nlocal-hostname: web-1\n$/);
    expect(metaDataOf({ userData: "" })).toMatch(/^instance-id: iid-[0-9a-f]{16}\n$/);
  });

  test("refuses a name that is no string", () => {
    expect(() => metaDataOf({ ...content, hostname: 7 as never })).toThrow("hostname must be a string");
  });

  test("stays with the same content, in whatever order a program or an output has it", () => {
    const one = userDataOf({ userData: { a: 1, b: { c: 2, d: 3 } } });
    const other = userDataOf({ userData: { b: { d: 3, c: 2 }, a: 1 } });
    expect(metaDataOf({ ...content, userData: one })).toBe(metaDataOf({ ...content, userData: other }));
  });

  test("has another ID for any other content", () => {
    const others = [
      content,
      { ...content, hostname: "web-2" },
      { ...content, userData: "b" },
      { ...content, vendorData: "a" },
      { ...content, networkConfig: "b" },
      { ...content, vendorData: "c", networkConfig: "b" },
      { ...content, vendorData: undefined },
      { ...content, networkConfig: undefined },
    ];
    const ids = others.map((other) => metaDataOf(other).split("\n")[0]);
    expect(new Set(ids).size).toBe(others.length);
  });
});
