import { findEngine } from "./engine";

/** Has the engine at hand before the first test of the `engine` project, so that its build shows and happens once. */
export default async function setup(): Promise<void> {
  await findEngine((line) => {
    console.log(line);
  });
}
