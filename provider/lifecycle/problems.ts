import type { CheckFailure } from "@pulumi/pulumi/dynamic";

/** Collects what is wrong with the arguments, to tell all of it at once. */
export class Problems {
  readonly #failures: CheckFailure[] = [];

  /**
   * @param argument its path in the program: `connection.hostKey`
   * @param reason what is wrong and what to do; never a value that may be a secret
   */
  add(argument: string, reason: string): void {
    // The engine prints the value of a property that a failure names, secrets too: so none is named.
    this.#failures.push({ property: "", reason: `${argument}: ${reason}` });
  }

  get failures(): CheckFailure[] {
    return [...this.#failures];
  }
}
