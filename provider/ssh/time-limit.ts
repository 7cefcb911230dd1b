/** A limit that can be set anew; `expired` rejects once it has passed. */
export function timeLimit(errorOf: (limitMs: number) => Error) {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let expire: (error: Error) => void;
  const expired = new Promise<never>((_resolve, reject) => (expire = reject));
  const stop = () => {
    isStopped = true;
    clearTimeout(timer);
  };
  const pause = () => {
    clearTimeout(timer);
  };
  const restart = (limitMs: number) => {
    pause();
    // What it limits may have ended meanwhile: nobody would lift a limit that is set now.
    if (isStopped) return;
    timer = setTimeout(() => {
      expire(errorOf(limitMs));
    }, limitMs);
  };
  return { expired, restart, pause, stop };
}
