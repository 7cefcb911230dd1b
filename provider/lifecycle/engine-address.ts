let attachedTo: string | undefined;

/**
 * `host:port` of the engine; undefined in a process that no engine started or attached to. The engine passes it as
 * an argument to the processes of its providers.
 *
 * @see pulumi/pulumi: sdk/go/common/resource/plugin/provider_plugin.go, `NewProvider`
 */
export function engineAddress(): string | undefined {
  return attachedTo ?? starterAddress();
}

/** `host:port` of the engine that started this process, whose end is the end of the process. */
export function starterAddress(): string | undefined {
  return process.argv.slice(2).find(isAddress);
}

/** Takes the address of an engine that attaches to this process instead of starting it. */
export function attachTo(address: string): void {
  attachedTo = address;
}

function isAddress(text: string): boolean {
  return /^[^-\s]\S*:\d+$/.test(text);
}
