import { testCells } from "./test-cells.ts";

testCells("gateway", "gateway, cost in header", "free gateway");
