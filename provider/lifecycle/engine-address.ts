/**
 * `host:port` of the engine, which it gives as the first argument to the process that hosts dynamic providers;
 * undefined in any other process.
 *
 * @see pulumi/pulumi: sdk/nodejs/cmd/dynamic-provider/index.ts, `main`
 */
export function engineAddress(): string | undefined {
  const address = process.argv[2];
  return address && /^[^-\s]\S*:\d+$/.test(address) ? address : undefined;
}
