import type { CheckFailure } from "@pulumi/pulumi/dynamic";

/** Collects the problems of all arguments, to report them together. */
export class Problems {
  readonly #found: { readonly argument: string; readonly reason: string }[] = [];

  /**
   * @param argument its path in the program: `connection.hostKey`
   * @param reason what is wrong and what to do; never a value that may be a secret
   */
  add(argument: string, reason: string): void {
    this.#found.push({ argument, reason });
  }

  /** Whether there is a problem with one of these arguments, or with something inside it. */
  concern(...names: readonly string[]): boolean {
    return this.#found.some(({ argument }) => names.includes(/^[^.[]*/.exec(argument)?.[0] ?? argument));
  }

  get failures(): CheckFailure[] {
    // The engine prints the value of a property that a failure names, even a secret. So no failure names one.
    return this.#found.map(({ argument, reason }) => ({ property: "", reason: `${argument}: ${reason}` }));
  }
}
