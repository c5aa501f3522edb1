import { writeFileSync } from "node:fs";
import { renderPage } from "./render-page.ts";

// node --conditions=@autolabel/source tests/matrix/src/write-page.ts
writeFileSync(new URL("../../../docs/matrix.md", import.meta.url), renderPage());
