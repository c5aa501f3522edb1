/** Writes the JSON schema of autolabel.yaml, which the labeler's package ships for editors. A test keeps it up to date. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { configFileJsonSchema } from "../apps/labeler/src/config/file-schema.ts";

const path = join(import.meta.dirname, "../apps/labeler/schema.json");
writeFileSync(path, `${JSON.stringify(configFileJsonSchema(), null, 2)}\n`);
console.log(`Wrote ${path}: format it with biome check --write`);
