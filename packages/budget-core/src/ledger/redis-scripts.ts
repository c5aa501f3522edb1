import { luaArithmetic, luaReading, luaWriting } from "./redis-lua.ts";

/**
 * The steps of a Redis ledger, in Lua: Redis runs a script as one step that nothing comes between. Keys and fields:
 *
 *     {prefix}:ledger_schema         hash: version, ledger_id, reservations (how many there were), opening_until
 *     {prefix}:accounts              set: names of all accounts; a name is the JSON text of [scope, window]
 *     {prefix}:accounts:<name>       hash: spent_pico_usd, held_pico_usd, unresolved_pico_usd, call_count, bound_call_count
 *     {prefix}:opening:<name>        hash: sums of the entries that the journal does not have any more, up to opening_until
 *     {prefix}:account_models:<name> hash: "call_count <model>" and "spent_pico_usd <model>"
 *     {prefix}:claims:<name>         hash: claim -> who got it
 *     {prefix}:reservations:<id>     hash: state, accounts (names, one a line), amount_pico_usd, lease_ends_at_ms, model_id, …
 *     {prefix}:open                  sorted set: held and dispatched reservations by the end of their lease
 *     {prefix}:unresolved            sorted set: unresolved reservations in the order in which they were made
 *     {prefix}:journal               stream, an entry for every posting, reset and ended reservation: kind, accounts,
 *                                    amount_pico_usd, call_count, bound_call_count, reservation_id, model_id
 *
 * Redis does not undo what a script that fails has written. So a step reads and computes first, and writes at its end.
 */

/** A script that writes. `allow-oom`: where memory is full no hold is made any more, but those in flight are ended. */
function writes(flags: string, body: string): string {
  return `#!lua${flags}\n${luaArithmetic}${luaReading}${luaWriting}if isAnotherLedger() then return { "gone" } end\n${body}`;
}

function reads(body: string): string {
  return `#!lua flags=no-writes\n${luaReading}if isAnotherLedger() then return { "gone" } end\n${body}`;
}

/** One script a step; each takes one JSON argument and the ledger's base key, and replies with what came of it first. */
export const redisScripts = {
  open: `#!lua
local request = cjson.decode(ARGV[1])
local base = KEYS[1]
local function info(section, name)
  return string.match(redis.call("INFO", section), name .. ":([^\\r\\n]+)") or ""
end
local policy = info("memory", "maxmemory_policy")
if string.sub(policy, 1, 7) == "allkeys" then return { "evicts", policy } end
local schema = redis.call("HMGET", base .. ":ledger_schema", "ledger_id", "version")
if schema[2] and tonumber(schema[2]) > tonumber(request.version) then return { "newer", schema[2] } end
if not schema[1] then
  if redis.call("EXISTS", base .. ":accounts", base .. ":journal") > 0 then return { "damaged" } end
  redis.call("HSET", base .. ":ledger_schema", "version", request.version, "ledger_id", request.ledgerId)
end
return { "ok", schema[1] or request.ledgerId, info("persistence", "aof_enabled") }
`,

  reserve: writes(
    "",
    `
local known = holdOf(request.id)
local atMs = nowMs()
if known.state ~= "unknown" then
  local isOpen = known.state == "held" or known.state == "dispatched" or known.state == "unresolved"
  if isOpen and known.amount == request.amount then return { "ok", atMs } end
  return { "state", known.state }
end
local names = {}
local isLacking = false
for index, account in ipairs(request.accounts) do
  names[index] = account.name
  if account.limit and request.amount ~= "0" then
    local book = bookOf("accounts", account.name)
    local used = add(add(book.spent_pico_usd, book.held_pico_usd), book.unresolved_pico_usd)
    if isLess(account.limit, add(used, request.amount)) then isLacking = true end
  end
end
if isLacking then return { "lacking", atMs, balancesOf(names) } end

local accounts = table.concat(names, "\\n")
local number = redis.call("HGET", base .. ":ledger_schema", "reservations") or "0"
local endsAt = string.format("%.0f", atMs + request.leaseMs)
write("HINCRBY", base .. ":ledger_schema", "reservations", 1)
write("HSET", known.key, "state", "held", "accounts", accounts, "amount_pico_usd", request.amount, "number", number,
  "reserved_at_ms", atMs, "lease_ends_at_ms", endsAt, unpack(request.fields))
write("ZADD", base .. ":open", endsAt, request.id)
changeAll("accounts", accounts, { held_pico_usd = request.amount })
return commit({ "ok", atMs })
`,
  ),

  markDispatched: writes(
    "",
    `
local hold = holdOf(request.id)
if hold.state == "dispatched" then return { "ok" } end
if hold.state ~= "held" then return { "state", hold.state } end
redis.call("HSET", hold.key, "state", "dispatched")
return { "ok" }
`,
  ),

  split: writes(
    " flags=allow-oom",
    `
local part = request.part
local known = holdOf(part.id)
if known.state ~= "unknown" then
  if known.amount == part.amount then return { "ok" } end
  return { "state", known.state }
end
local hold = holdOf(request.id)
local isSent = hold.state == "dispatched" or hold.state == "unresolved"
if not isSent or isLess(hold.amount, part.amount) then return { "state", hold.state } end
local endsAt = redis.call("HGET", hold.key, "lease_ends_at_ms")
local number = redis.call("HGET", base .. ":ledger_schema", "reservations") or "0"
write("HINCRBY", base .. ":ledger_schema", "reservations", 1)
write("HSET", hold.key, "amount_pico_usd", subtract(hold.amount, part.amount))
write("HSET", known.key, "state", hold.state, "accounts", hold.accounts, "amount_pico_usd", part.amount, "number", number,
  "reserved_at_ms", hold.reservedAt, "lease_ends_at_ms", endsAt, unpack(request.fields))
if hold.state == "unresolved" then write("ZADD", base .. ":unresolved", number, part.id)
else write("ZADD", base .. ":open", endsAt, part.id) end
return commit({ "ok" })
`,
  ),

  settle: writes(
    " flags=allow-oom",
    `
local hold = holdOf(request.id)
if hold.state == "settled" then return { "ok", {} } end
if hold.state ~= "dispatched" and hold.state ~= "unresolved" then return { "state", hold.state } end
free(hold)
write("HSET", hold.key, "state", "settled", unpack(request.fields))
pay("settled", hold.id, hold.accounts, request.servedModelId or hold.modelId or request.unknownModel)
return commit({ "ok", balancesOf(linesOf(hold.accounts)) })
`,
  ),

  release: writes(
    " flags=allow-oom",
    `
local hold = holdOf(request.id)
if hold.state == "released" then return { "ok" } end
if hold.state ~= "held" and not (hold.state == "dispatched" and request.evidence) then return { "state", hold.state } end
finish(hold, "released", request.evidence)
return commit({ "ok" })
`,
  ),

  extend: writes(
    " flags=allow-oom",
    `
local hold = holdOf(request.id)
if hold.state ~= "held" and hold.state ~= "dispatched" then return { "state", hold.state } end
local endsAt = string.format("%.0f", nowMs() + request.leaseMs)
redis.call("HSET", hold.key, "lease_ends_at_ms", endsAt)
redis.call("ZADD", base .. ":open", endsAt, hold.id)
return { "ok" }
`,
  ),

  read: reads(`return { "ok", reportsOf(request.accounts) }`),

  post: writes(
    " flags=allow-oom",
    `
local posted = holdOf(request.id)
if posted.state == "unknown" then
  local accounts = table.concat(request.accounts, "\\n")
  write("HSET", posted.key, "state", "settled", "accounts", accounts, "amount_pico_usd", "0", unpack(request.fields))
  pay("posted", request.id, accounts, request.servedModelId or request.unknownModel)
end
return commit({ "ok", balancesOf(request.accounts) })
`,
  ),

  reset: writes(
    " flags=allow-oom",
    `
for _, name in ipairs(request.accounts) do
  local book = bookOf("accounts", name)
  enter({
    kind = "reset", accounts = name, amount_pico_usd = "-" .. book.spent_pico_usd,
    call_count = "-" .. book.call_count, bound_call_count = "-" .. book.bound_call_count,
  })
  write("DEL", base .. ":account_models:" .. name)
end
return commit({ "ok" })
`,
  ),

  recover: writes(
    " flags=allow-oom",
    `
-- A page of the open ones by the end of their leases: all of the last one's moment, so that the next begins behind it.
local atMs = nowMs()
local to = request.abandonedScope and "+inf" or string.format("%.0f", atMs)
local edge = redis.call("ZRANGEBYSCORE", base .. ":open", request.after, to, "WITHSCORES", "LIMIT", request.atOnce - 1, 1)
local page = redis.call("ZRANGEBYSCORE", base .. ":open", request.after, edge[2] or to, "WITHSCORES")
-- What moves, by the accounts that it moves in: each account is changed once.
local held, unresolved = {}, {}
for index = 1, #page, 2 do
  local hold = holdOf(page[index])
  local isAbandoned = request.abandonedScope and string.find("\\n" .. hold.accounts, "\\n" .. request.abandonedScope, 1, true)
  if isAbandoned or tonumber(page[index + 1]) <= atMs then
    held[hold.accounts] = add(held[hold.accounts] or "0", hold.amount)
    write("ZREM", base .. ":open", hold.id)
    if hold.state == "held" then conclude(hold, "expired", "lease ran out before dispatch")
    else
      unresolved[hold.accounts] = add(unresolved[hold.accounts] or "0", hold.amount)
      write("HSET", hold.key, "state", "unresolved")
      write("ZADD", base .. ":unresolved", hold.number, hold.id)
    end
  end
end
for accounts, amount in pairs(held) do
  changeAll("accounts", accounts, { held_pico_usd = "-" .. amount, unresolved_pico_usd = unresolved[accounts] })
end
commit()
if edge[2] then return { "more", "(" .. edge[2] } end
return { "ok", unresolvedFrom("-inf") }
`,
  ),

  unresolved: reads(`return { "ok", unresolvedFrom(request.from) }`),

  writeOff: writes(
    " flags=allow-oom",
    `
local hold = holdOf(request.id)
if hold.state == "writtenOff" then return { "ok" } end
if hold.state ~= "unresolved" then return { "state", hold.state } end
finish(hold, "writtenOff", request.evidence)
return commit({ "ok" })
`,
  ),

  claim: writes(
    "",
    `
local key = base .. ":claims:" .. request.account
redis.call("HSETNX", key, request.name, request.claimant)
return { "ok", redis.call("HGET", key, request.name) == request.claimant and 1 or 0 }
`,
  ),

  inspect: reads(`
local names = {}
for _, name in ipairs(redis.call("SMEMBERS", base .. ":accounts")) do
  local isAsked = not request.scopes
  for _, scope in ipairs(request.scopes or {}) do isAsked = isAsked or string.sub(name, 1, #scope) == scope end
  if isAsked then table.insert(names, name) end
end
local open = redis.call("ZRANGE", base .. ":open", 0, -1)
local unresolved = redis.call("ZRANGE", base .. ":unresolved", 0, -1)
local last = redis.call("XREVRANGE", base .. ":journal", "+", "-", "COUNT", 1)[1]
return { "ok", nowMs(), reportsOf(names), open, unresolved, last and last[1] or "0-0" }
`),

  holds: reads(`
-- One that is listed as open and does not exist is damage, which its amount shows; one that is neither was forgotten.
local rows = {}
for _, id in ipairs(request.ids) do
  local hold = holdOf(id)
  if hold.accounts then
    table.insert(rows, { id, hold.accounts, hold.amount, hold.modelId, hold.number, hold.state, hold.reservedAt })
  elseif not (redis.call("ZSCORE", base .. ":open", id) or redis.call("ZSCORE", base .. ":unresolved", id)) then
    return { "forgotten", {} }
  end
end
return { "ok", rows }
`),

  journal: reads(`
return { "ok", redis.call("XRANGE", base .. ":journal", request.after, request.last, "COUNT", request.atOnce) }
`),

  opening: reads(`
local openings = {}
for _, name in ipairs(request.accounts) do table.insert(openings, balanceOf("opening", name)) end
return { "ok", redis.call("HGET", base .. ":ledger_schema", "opening_until") or "0-0", openings }
`),

  now: reads(`return { "ok", nowMs() }`),
} as const;
