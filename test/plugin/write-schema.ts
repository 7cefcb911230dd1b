import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { generateSchema } from "./schema";

writeFileSync(
  resolve(__dirname, "../../provider/plugin/schema.json"),
  `${JSON.stringify(generateSchema(), null, 2)}\n`,
);
