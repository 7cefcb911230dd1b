/** Why a module of `provider/` has less than 95 % of its lines or branches covered: what is left cannot be tested here. */
export const reasons = {
  "provider/source/zstd.ts":
    "Node.js before 22.15 takes fzstd, later ones their own decoder: a run has one of the two.",
};
