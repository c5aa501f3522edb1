import { testCells } from "./test-cells.ts";

testCells("gateway", "free gateway");
