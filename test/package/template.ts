/** What `pulumi new typescript` puts into a project. */
export const TEMPLATE = {
  devDependencies: { "@types/node": "^18", typescript: "^5.0.0" },
  tsconfig: {
    compilerOptions: {
      strict: true,
      outDir: "bin",
      target: "es2020",
      module: "commonjs",
      moduleResolution: "node",
      sourceMap: true,
      experimentalDecorators: true,
      pretty: true,
      noFallthroughCasesInSwitch: true,
      noImplicitReturns: true,
      forceConsistentCasingInFileNames: true,
    },
    files: ["index.ts"],
  },
} as const;
