import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRedisThere, type RedisServer, startRedis } from "../../../../tests/servers/start-redis.ts";
import { luaArithmetic } from "./redis-lua.ts";

const script = `${luaArithmetic}
local results = {}
for _, pair in ipairs(cjson.decode(ARGV[1])) do
  local a, b = pair[1], pair[2]
  local larger, smaller = a, b
  if isLess(a, b) then larger, smaller = b, a end
  table.insert(results, { add(a, b), subtract(larger, smaller), isLess(a, b) and 1 or 0 })
end
return results`;

describe.skipIf(!isRedisThere())("amounts in Lua, whose numbers are doubles", () => {
  let server: RedisServer;
  let io: Redis;
  beforeAll(async () => {
    server = await startRedis();
    io = new Redis(server.url);
  });
  afterAll(async () => {
    io.disconnect();
    await server.stop();
  });

  async function expectExact(pairs: readonly (readonly [bigint, bigint])[]): Promise<void> {
    const texts = JSON.stringify(pairs.map((pair) => pair.map(String)));
    const expected = pairs.map(([a, b]) => [String(a + b), String(a < b ? b - a : a - b), a < b ? 1 : 0]);
    expect(await io.eval(script, 0, texts)).toEqual(expected);
  }

  it("are added, subtracted and compared exactly around every place where a double or a chunk ends", async () => {
    const places = [0n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n, 9_000_000n * 10n ** 12n];
    for (const digits of [1n, 14n, 15n, 16n, 29n, 30n, 31n, 45n]) places.push(10n ** digits);
    const amounts = places.flatMap((place) => [-2n, -1n, 0n, 1n, 2n].map((step) => place + step));
    const valid = amounts.filter((amount) => amount >= 0n);
    await expectExact(valid.flatMap((a) => valid.map((b) => [a, b] as const)));
  });

  it("are exact for any amounts", { timeout: 120_000 }, async () => {
    const amount = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.bigInt({ min: 0n, max: 10n ** 60n }));
    const pairs = fc.array(fc.tuple(amount, amount), { minLength: 50, maxLength: 200 });
    await fc.assert(fc.asyncProperty(pairs, expectExact), { numRuns: 200 });
  });

  it("never fall below zero", async () => {
    const below = `${luaArithmetic} return subtract("999999999999999", "1000000000000000")`;
    await expect(io.eval(below, 0)).rejects.toThrow("DAMAGED 1000000000000000 cannot be taken from 999999999999999");
  });
});
