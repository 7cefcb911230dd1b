// The first releases of Node 20 lack Symbol.asyncDispose, which `await using` is compiled to ask for.
const symbols: { asyncDispose?: symbol } = Symbol;
if (!symbols.asyncDispose) {
  Object.defineProperty(Symbol, "asyncDispose", { value: Symbol.for("Symbol.asyncDispose") });
}
