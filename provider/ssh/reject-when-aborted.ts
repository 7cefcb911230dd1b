/** Rejects with the reason of `lost` once that is aborted, and never after `unless` is. */
export function rejectWhenAborted(lost: AbortSignal, unless: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (lost.aborted) reject(lost.reason as Error);
    lost.addEventListener("abort", () => reject(lost.reason as Error), { signal: unless });
  });
}
