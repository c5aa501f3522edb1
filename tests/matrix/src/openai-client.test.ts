import { testCells } from "./test-cells.ts";

testCells("OpenAI client");
