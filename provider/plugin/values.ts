import { fileOfAsset } from "../lifecycle/assets";
import { UNKNOWN } from "../lifecycle/unknown";

/** A property map as plain values, as `lifecycle/` takes and returns them. */
export type Properties = Record<string, unknown>;

/** Where a property map has secrets: whole values, or values inside of them. */
export interface SecretMarks {
  readonly isSecret: boolean;
  readonly inside: ReadonlyMap<string, SecretMarks>;
}

/** What the engine sent: its plain values, and where they are secret. */
export interface Decoded {
  readonly values: Properties;
  readonly secrets: SecretMarks;
}

export const NO_SECRETS: SecretMarks = { isSecret: false, inside: new Map() };

/** Marks special values in a property map. @see pulumi/pulumi: sdk/go/common/resource/sig/sig.go */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";

/** One for each type of the value. @see pulumi/pulumi: sdk/go/common/resource/plugin/rpc.go */
const UNKNOWNS = [
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
];

/** Unwraps secrets, and turns assets into what `files` takes: text, `{ path }` or `{ url }`. Omits `null`. */
export function decode(sent: Properties): Decoded {
  const [values, secrets] = decodeValue(sent);
  return { values: values as Properties, secrets };
}

/** Wraps the marked values, so that they are encrypted in the state. */
export function encode(values: Properties, secrets: SecretMarks): Properties {
  return encodeInside(values, secrets.inside) as Properties;
}

/** The union of two sets of marks. */
export function union(one: SecretMarks, other: SecretMarks): SecretMarks {
  const names = new Set([...one.inside.keys(), ...other.inside.keys()]);
  const inside = [...names].map((name) => {
    const both = union(one.inside.get(name) ?? NO_SECRETS, other.inside.get(name) ?? NO_SECRETS);
    return [name, both] as const;
  });
  return { isSecret: one.isSecret || other.isSecret, inside: new Map(inside) };
}

/** Whether a value, or anything inside it, is secret. */
export function hasSecret({ isSecret, inside }: SecretMarks): boolean {
  return isSecret || inside.size > 0;
}

function decodeValue(value: unknown): [unknown, SecretMarks] {
  if (typeof value === "string") return [UNKNOWNS.includes(value) ? UNKNOWN : value, NO_SECRETS];
  if (typeof value !== "object" || value === null) return [value, NO_SECRETS];
  if (Array.isArray(value)) {
    const items = value.map((item) => decodeValue(item));
    return [items.map(([item]) => item), marksOf(items.map(([, marks], index) => [String(index), marks]))];
  }
  const record = value as Properties;
  switch (record[SIGNATURE]) {
    case SECRET: {
      const [content, { inside }] = decodeValue(record["value"]);
      return [content, { isSecret: true, inside }];
    }
    case ASSET:
      return [fileOfAsset(record), NO_SECRETS];
  }
  const entries = Object.entries(record)
    .map(([name, item]) => [name, ...decodeValue(item)] as const)
    .filter(([, item]) => item !== null);
  return [
    Object.fromEntries(entries.map(([name, item]) => [name, item])),
    marksOf(entries.map(([name, , marks]) => [name, marks])),
  ];
}

function marksOf(entries: readonly (readonly [string, SecretMarks])[]): SecretMarks {
  return { isSecret: false, inside: new Map(entries.filter(([, marks]) => hasSecret(marks))) };
}

function encodeValue(value: unknown, { isSecret, inside }: SecretMarks): unknown {
  const encoded = encodeInside(value, inside);
  return isSecret ? { [SIGNATURE]: SECRET, value: encoded } : encoded;
}

function encodeInside(value: unknown, inside: SecretMarks["inside"]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value))
    return value.map((item, index) => encodeValue(item, inside.get(String(index)) ?? NO_SECRETS));
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.map(([name, item]) => [name, encodeValue(item, inside.get(name) ?? NO_SECRETS)]),
  );
}
