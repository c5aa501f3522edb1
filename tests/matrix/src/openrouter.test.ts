import { testCells } from "./test-cells.ts";

testCells("OpenRouter", "OpenRouter, no look-up");
