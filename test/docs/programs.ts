/** The TypeScript of a page: each program, and whether the compiler takes it. */
import { join } from "node:path";
import ts from "typescript";
import type { Block, Page } from "./pages";

/** A block and those that continue it. */
export interface Program {
  readonly place: string;
  readonly section: string;
  readonly code: string;
}

export function programsOf({ blocks }: Pick<Page, "blocks">): Program[] {
  const programs: Program[] = [];
  for (const { language, isContinued, ...block } of blocks.filter(isTypeScript)) {
    const last = programs.at(-1);
    if (isContinued && last) programs[programs.length - 1] = { ...last, code: last.code + block.code };
    else programs.push(block);
  }
  return programs;
}

const isTypeScript = ({ language }: Block) => language === "ts" || language === "typescript";

/** As strict as a careful user's. */
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  moduleDetection: ts.ModuleDetectionKind.Force,
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  esModuleInterop: true,
  skipLibCheck: true,
  noEmit: true,
};

/**
 * Compiles programs, each a module of its own.
 *
 * @param folder where they find their packages
 * @returns what the compiler says: `docs/recipes.md:31: error TS2353 …`
 */
export function errorsOf(programs: readonly Program[], folder: string): string[] {
  const byFile = new Map(programs.map((program, index) => [join(folder, `program-${index}.ts`), program]));
  const disk = ts.createCompilerHost(OPTIONS);
  const host: ts.CompilerHost = {
    ...disk,
    getCurrentDirectory: () => folder,
    fileExists: (file) => byFile.has(file) || disk.fileExists(file),
    readFile: (file) => byFile.get(file)?.code ?? disk.readFile(file),
    getSourceFile: (file, options) => {
      const code = byFile.get(file)?.code;
      return code === undefined
        ? disk.getSourceFile(file, options)
        : ts.createSourceFile(file, code, options);
    },
  };
  const program = ts.createProgram([...byFile.keys()], OPTIONS, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, code, messageText }) => {
    const place = (file && byFile.get(file.fileName)?.place) ?? file?.fileName ?? "";
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${place} +${line}: error TS${code}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}
