import { readFileSync } from "node:fs";
import { Module } from "node:module";
import { expect, test } from "vitest";
import { serialised } from "../../../provider/lifecycle/serialised";

/** What the SDK's `getProvider` uses. */
interface Surroundings {
  readonly requireFromString: (code: string) => unknown;
  readonly providerKey: string;
  readonly providerCache: Record<string, unknown>;
}

test("the SDK's own getProvider makes of it the provider that the package exports", async () => {
  const sdk = readFileSync(require.resolve("@pulumi/pulumi/cmd/dynamic-provider"), "utf8");
  const [source] = /^async function getProvider\(.*?^}$/ms.exec(sdk) ?? [];
  const asked: string[] = [];
  // require-from-string comes with the SDK, not with this package.
  const requireFromString = (code: string): unknown => {
    const module = new Module("") as Module & { _compile(code: string, filename: string): void };
    module.require = ((name: string) => {
      asked.push(name);
      return { tempIso: "the provider" };
    }) as NodeJS.Require;
    module._compile(code, "");
    return module.exports;
  };
  const surroundings: Surroundings = { requireFromString, providerKey: "__provider", providerCache: {} };
  const names = Object.keys(surroundings).join(", ");
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- The SDK exports it to nobody.
  const evaluate = new Function(`{ ${names} }`, `return ${source}`) as (
    given: Surroundings,
  ) => (inputs: unknown, configuration: unknown) => Promise<unknown>;
  const getProvider = evaluate(surroundings);

  expect(await getProvider({ __provider: serialised("tempIso") }, {})).toBe("the provider");
  expect(asked).toEqual(["pulumi-xen-iso/provider"]);
});
