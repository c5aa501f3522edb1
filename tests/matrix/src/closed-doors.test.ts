import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CostTracker } from "@autolabel/budget-core";
import { expect, it } from "vitest";
import { closedDoors } from "./closed-doors.ts";

it.for(closedDoors.map((door) => [door.name, door] as const))("%s is closed, and sends nothing", async ([, door]) => {
  // Not the simulator: it would not count a request of an endpoint that it does not have.
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tracker = new CostTracker({ budget: "1000" });
  const site = { simulator: { url, openRouterUrl: url, openAiUrl: url, gatewayUrl: url }, tracker };
  const call = (async () => await door.call(site))();
  await expect(call).rejects.toMatchObject({ code: "unbounded_request" });
  expect([requests, (await tracker.getStats()).callCount]).toEqual([0, 0]);
  server.close();
});
