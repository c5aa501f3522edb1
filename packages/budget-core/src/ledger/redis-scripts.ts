/**
 * The steps of a Redis ledger, in Lua: Redis runs a script as one step that nothing comes between. Keys and fields:
 *
 *     {prefix}:ledger_schema         hash: version, ledger_id, opening_until
 *     {prefix}:accounts              set: names of all accounts; a name is the JSON text of [scope, window]
 *     {prefix}:accounts:<name>       hash: spent_pico_usd, held_pico_usd, unresolved_pico_usd, call_count, bound_call_count
 *     {prefix}:opening:<name>        hash of the same fields: the balance before the first entry that the journal still has
 *     {prefix}:account_models:<name> hash: "call_count <model>" and "spent_pico_usd <model>"
 *     {prefix}:claims:<name>         hash: claim -> who got it
 *     {prefix}:reservations:<id>     hash: state, accounts (names, one a line), amount_pico_usd, lease_ends_at_ms, model_id, …
 *     {prefix}:open                  sorted set: held and dispatched reservations by the end of their lease
 *     {prefix}:unresolved            sorted set: unresolved reservations in the order in which they were made
 *     {prefix}:journal               stream: every change of a balance, as signed amounts
 *
 * Redis does not undo what a script that fails has written. So a step reads and computes first, and writes at its end.
 */

/**
 * Exact arithmetic on decimal texts of any length. Lua's numbers are doubles, which hold 15 decimal digits exactly, so
 * amounts are added 15 digits at a time, as on paper.
 */
export const luaArithmetic = `
local function chunk(digits, last)
  if last < 1 then return 0 end
  return tonumber(string.sub(digits, math.max(last - 14, 1), last))
end

local function canonical(digits)
  return (string.gsub(digits, "^0+(%d)", "%1"))
end

local function isLess(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

local function add(a, b)
  local sum, carry, done = "", 0, 0
  while done < #a or done < #b or carry > 0 do
    local part = chunk(a, #a - done) + chunk(b, #b - done) + carry
    carry = 0
    if part >= 1e15 then part, carry = part - 1e15, 1 end
    sum = string.format("%015.0f", part) .. sum
    done = done + 15
  end
  return canonical(sum)
end

local function subtract(a, b)
  if isLess(a, b) then error({ err = "DAMAGED " .. b .. " cannot be taken from " .. a }) end
  local difference, borrow, done = "", 0, 0
  while done < #a do
    local part = chunk(a, #a - done) - chunk(b, #b - done) - borrow
    borrow = 0
    if part < 0 then part, borrow = part + 1e15, 1 end
    difference = string.format("%015.0f", part) .. difference
    done = done + 15
  end
  return canonical(difference)
end
`;

const reading = `
local request = cjson.decode(ARGV[1])
local base = KEYS[1]
local amounts = { "spent_pico_usd", "held_pico_usd", "unresolved_pico_usd", "call_count", "bound_call_count" }

local function isAnotherLedger()
  local schema = redis.call("HMGET", base .. ":ledger_schema", "ledger_id", "version")
  return schema[1] ~= request.ledgerId or schema[2] ~= request.version
end

-- Accounts that this step looked at; what it changes in them is written at its end.
local books = {}
local function bookOf(kind, name)
  local key = base .. ":" .. kind .. ":" .. name
  if not books[key] then
    local values = redis.call("HMGET", key, unpack(amounts))
    local book = { key = key, name = name, isNew = not values[1] }
    for index, field in ipairs(amounts) do book[field] = values[index] or "0" end
    books[key] = book
  end
  return books[key]
end

local function balanceOf(kind, name)
  local book = bookOf(kind, name)
  local balance = { name }
  for _, field in ipairs(amounts) do table.insert(balance, book[field]) end
  return balance
end

local function balancesOf(kind, names)
  local balances = {}
  for _, name in ipairs(names) do table.insert(balances, balanceOf(kind, name)) end
  return balances
end
`;

const writing = `
local writes = {}
local function write(...)
  table.insert(writes, { ... })
end

local function nowMs()
  local time = redis.call("TIME")
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function linesOf(text)
  local lines = {}
  for line in string.gmatch(text, "[^\\n]+") do table.insert(lines, line) end
  return lines
end

local function change(book, changes)
  for field, amount in pairs(changes) do
    if string.sub(amount, 1, 1) == "-" then book[field] = subtract(book[field], string.sub(amount, 2))
    else book[field] = add(book[field], amount) end
  end
  book.isChanged = true
end

local added = 0
local function enter(step, id, accounts, changes)
  for _, name in ipairs(linesOf(accounts)) do change(bookOf("accounts", name), changes) end
  local entry = { "XADD", base .. ":journal", "*", "step", step, "reservation_id", id, "accounts", accounts }
  for _, field in ipairs(amounts) do
    if changes[field] then
      table.insert(entry, field)
      table.insert(entry, changes[field])
    end
  end
  write(unpack(entry))
  added = added + 1
end

local ends = { settle = true, release = true, expire = true, writeOff = true, post = true }

-- The oldest entries go into the opening balances, and the reservations that they ended are forgotten.
local function trim()
  local journal = base .. ":journal"
  local length = redis.call("XLEN", journal)
  local excess = math.min(length + added - request.journalEntries, length, added + 10)
  if excess < 1 then return end
  local oldest = redis.call("XRANGE", journal, "-", "+", "COUNT", excess)
  for _, entry in ipairs(oldest) do
    local values = {}
    for index = 1, #entry[2], 2 do values[entry[2][index]] = entry[2][index + 1] end
    local changes = {}
    for _, field in ipairs(amounts) do changes[field] = values[field] end
    for _, name in ipairs(linesOf(values.accounts)) do change(bookOf("opening", name), changes) end
    if ends[values.step] then write("DEL", base .. ":reservations:" .. values.reservation_id) end
  end
  write("HSET", base .. ":ledger_schema", "opening_until", oldest[#oldest][1])
  write("XTRIM", journal, "MAXLEN", "=", length + added - #oldest)
end

local function commit(reply)
  trim()
  for key, book in pairs(books) do
    if book.isChanged then
      local fields = {}
      for _, field in ipairs(amounts) do
        table.insert(fields, field)
        table.insert(fields, book[field])
      end
      write("HSET", key, unpack(fields))
      if book.isNew then write("SADD", base .. ":accounts", book.name) end
    end
  end
  for _, command in ipairs(writes) do redis.call(unpack(command)) end
  return reply
end

local function holdOf(id)
  local key = base .. ":reservations:" .. id
  local fields = redis.call("HMGET", key, "state", "accounts", "amount_pico_usd", "model_id", "number")
  return {
    id = id, key = key, state = fields[1] or "unknown", accounts = fields[2],
    amount = fields[3], modelId = fields[4], number = fields[5],
  }
end

local function setState(hold, state, ...)
  write("HSET", hold.key, "state", state, ...)
  write("ZREM", base .. (hold.state == "unresolved" and ":unresolved" or ":open"), hold.id)
end

-- Frees what is held, and books the changes that come with it.
local function finish(hold, step, changes)
  local bucket = hold.state == "unresolved" and "unresolved_pico_usd" or "held_pico_usd"
  changes[bucket] = "-" .. hold.amount
  enter(step, hold.id, hold.accounts, changes)
end

local function costOf(receipt)
  return { spent_pico_usd = receipt.cost, call_count = "1", bound_call_count = receipt.isBound and "1" or nil }
end

local function countModel(accounts, modelId, cost)
  for _, name in ipairs(linesOf(accounts)) do
    local key = base .. ":account_models:" .. name
    local spent = redis.call("HGET", key, "spent_pico_usd " .. modelId) or "0"
    write("HINCRBY", key, "call_count " .. modelId, 1)
    write("HSET", key, "spent_pico_usd " .. modelId, add(spent, cost))
  end
end
`;

/** A script that writes. `allow-oom`: where memory is full no hold is made any more, but those in flight are ended. */
function writes(flags: string, body: string): string {
  return `#!lua${flags}\n${luaArithmetic}${reading}${writing}if isAnotherLedger() then return { "gone" } end\n${body}`;
}

function reads(body: string): string {
  return `#!lua flags=no-writes\n${reading}if isAnotherLedger() then return { "gone" } end\n${body}`;
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
if known.state ~= "unknown" then
  local isOpen = known.state == "held" or known.state == "dispatched" or known.state == "unresolved"
  if isOpen and known.amount == request.amount then return { "ok" } end
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
if isLacking then return { "lacking", balancesOf("accounts", names) } end

local accounts = table.concat(names, "\\n")
local number = redis.call("HGET", base .. ":ledger_schema", "reservations") or "0"
local endsAt = string.format("%.0f", nowMs() + request.leaseMs)
write("HINCRBY", base .. ":ledger_schema", "reservations", 1)
write("HSET", known.key, "state", "held", "accounts", accounts, "amount_pico_usd", request.amount,
  "lease_ends_at_ms", endsAt, "number", number, unpack(request.fields))
write("ZADD", base .. ":open", endsAt, request.id)
enter("reserve", request.id, accounts, { held_pico_usd = request.amount })
return commit({ "ok" })
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

  settle: writes(
    " flags=allow-oom",
    `
local hold = holdOf(request.id)
if hold.state == "settled" then return { "ok", {} } end
if hold.state ~= "dispatched" and hold.state ~= "unresolved" then return { "state", hold.state } end
finish(hold, "settle", costOf(request))
setState(hold, "settled", unpack(request.fields))
countModel(hold.accounts, request.servedModelId or hold.modelId or request.unknownModel, request.cost)
return commit({ "ok", balancesOf("accounts", linesOf(hold.accounts)) })
`,
  ),

  release: writes(
    " flags=allow-oom",
    `
local hold = holdOf(request.id)
if hold.state == "released" then return { "ok" } end
if hold.state ~= "held" and not (hold.state == "dispatched" and request.evidence) then return { "state", hold.state } end
finish(hold, "release", {})
if request.evidence then setState(hold, "released", "evidence", request.evidence) else setState(hold, "released") end
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

  read: reads(`
local reports = {}
for _, name in ipairs(request.accounts) do
  table.insert(reports, { balanceOf("accounts", name), redis.call("HGETALL", base .. ":account_models:" .. name) })
end
return { "ok", reports }
`),

  post: writes(
    " flags=allow-oom",
    `
local posted = holdOf(request.id)
if posted.state == "unknown" then
  local accounts = table.concat(request.accounts, "\\n")
  enter("post", request.id, accounts, costOf(request))
  write("HSET", posted.key, "state", "settled", "accounts", accounts, "amount_pico_usd", "0", unpack(request.fields))
  countModel(accounts, request.servedModelId or request.unknownModel, request.cost)
end
return commit({ "ok", balancesOf("accounts", request.accounts) })
`,
  ),

  reset: writes(
    " flags=allow-oom",
    `
for _, name in ipairs(request.accounts) do
  local book = bookOf("accounts", name)
  enter("reset", "", name, {
    spent_pico_usd = "-" .. book.spent_pico_usd,
    call_count = "-" .. book.call_count,
    bound_call_count = "-" .. book.bound_call_count,
  })
  write("DEL", base .. ":account_models:" .. name)
end
return commit({ "ok" })
`,
  ),

  recover: writes(
    " flags=allow-oom",
    `
local due = redis.call("ZRANGEBYSCORE", base .. ":open", "-inf", nowMs(), "LIMIT", 0, request.atOnce)
if request.abandonedScope then
  for _, id in ipairs(redis.call("ZRANGEBYSCORE", base .. ":open", "(" .. nowMs(), "+inf")) do
    if #due >= request.atOnce then break end
    local accounts = "\\n" .. redis.call("HGET", base .. ":reservations:" .. id, "accounts")
    if string.find(accounts, "\\n" .. request.abandonedScope, 1, true) then table.insert(due, id) end
  end
end
for _, id in ipairs(due) do
  local hold = holdOf(id)
  if hold.state == "held" then
    finish(hold, "expire", {})
    setState(hold, "expired", "evidence", "lease ran out before dispatch")
  else
    finish(hold, "unresolved", { unresolved_pico_usd = hold.amount })
    setState(hold, "unresolved")
    write("ZADD", base .. ":unresolved", hold.number, id)
  end
end
commit()
if #due >= request.atOnce then return { "more" } end
local unresolved = {}
for _, id in ipairs(redis.call("ZRANGE", base .. ":unresolved", 0, -1)) do
  local hold = holdOf(id)
  table.insert(unresolved, { id, hold.accounts, hold.amount, hold.modelId })
end
return { "ok", unresolved }
`,
  ),

  writeOff: writes(
    " flags=allow-oom",
    `
local hold = holdOf(request.id)
if hold.state == "writtenOff" then return { "ok" } end
if hold.state ~= "unresolved" then return { "state", hold.state } end
finish(hold, "writeOff", {})
setState(hold, "writtenOff", "evidence", request.evidence)
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
} as const;
