import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { isRedisThere, type RedisServer, startRedis } from "../../../../tests/servers/start-redis.ts";
import { ledgerSuite } from "../testing/ledger-suite.ts";
import { RedisLedger } from "./redis.ts";

describe.skipIf(!isRedisThere())("RedisLedger", () => {
  let server: RedisServer;
  let node: ReturnType<typeof createClient>;
  let io: Redis;
  let count = 0;
  beforeAll(async () => {
    server = await startRedis();
    node = createClient({ url: server.url });
    await node.connect();
    io = new Redis(server.url);
  });
  afterAll(async () => {
    node.destroy();
    io.disconnect();
    await server.stop();
  });
  describe("with the package redis", () => ledgerSuite(test, () => RedisLedger.open(node, { prefix: `t${++count}` })));
  describe("with ioredis", () => ledgerSuite(test, () => RedisLedger.open(io, { prefix: `t${++count}` })));
});
