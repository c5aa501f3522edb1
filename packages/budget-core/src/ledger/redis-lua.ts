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

/** What every step needs: the request, the clock, and the balances as they stand. */
export const luaReading = `
local request = cjson.decode(ARGV[1])
local base = KEYS[1]
local postedFields = { "spent_pico_usd", "call_count", "bound_call_count" }
local fieldsOf = {
  accounts = { "spent_pico_usd", "held_pico_usd", "unresolved_pico_usd", "call_count", "bound_call_count" },
  opening = postedFields,
}

local function nowMs()
  local time = redis.call("TIME")
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function isAnotherLedger()
  local schema = redis.call("HMGET", base .. ":ledger_schema", "ledger_id", "version")
  return schema[1] ~= request.ledgerId or schema[2] ~= request.version
end

-- What this step looked at; what it changes in them is written at its end.
local books = {}
local function bookOf(kind, name)
  local key = base .. ":" .. kind .. ":" .. name
  if not books[key] then
    local values = redis.call("HMGET", key, unpack(fieldsOf[kind]))
    local book = { kind = kind, name = name, isNew = not values[1] }
    for index, field in ipairs(fieldsOf[kind]) do book[field] = values[index] or "0" end
    books[key] = book
  end
  return books[key]
end

local function balanceOf(kind, name)
  local book = bookOf(kind, name)
  local balance = { name }
  for _, field in ipairs(fieldsOf[kind]) do table.insert(balance, book[field]) end
  return balance
end

local function balancesOf(names)
  local balances = {}
  for _, name in ipairs(names) do table.insert(balances, balanceOf("accounts", name)) end
  return balances
end

local function reportsOf(names)
  local reports = {}
  for _, name in ipairs(names) do
    table.insert(reports, { balanceOf("accounts", name), redis.call("HGETALL", base .. ":account_models:" .. name) })
  end
  return reports
end

local function holdOf(id)
  local key = base .. ":reservations:" .. id
  local fields = redis.call("HMGET", key, "state", "accounts", "amount_pico_usd", "model_id", "number", "reserved_at_ms")
  return {
    id = id, key = key, state = fields[1] or "unknown", accounts = fields[2],
    amount = fields[3], modelId = fields[4], number = fields[5], reservedAt = fields[6],
  }
end

-- A page of the unresolved ones, in the order in which they were made.
local function unresolvedFrom(number)
  local page = {}
  local ids = redis.call("ZRANGEBYSCORE", base .. ":unresolved", number, "+inf", "LIMIT", 0, request.atOnce)
  for _, id in ipairs(ids) do
    local hold = holdOf(id)
    table.insert(page, { id, hold.accounts, hold.amount, hold.modelId, hold.number })
  end
  return page
end
`;

/** What steps that change something need. Nothing is written before {@link luaWriting}'s `commit`. */
export const luaWriting = `
local writes = {}
local function write(...)
  table.insert(writes, { ... })
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

local function changeAll(kind, accounts, changes)
  for _, name in ipairs(linesOf(accounts)) do change(bookOf(kind, name), changes) end
end

local function postedIn(entry)
  return {
    spent_pico_usd = entry.amount_pico_usd,
    call_count = entry.call_count,
    bound_call_count = entry.bound_call_count,
  }
end

local added = 0
local function enter(entry)
  changeAll("accounts", entry.accounts, postedIn(entry))
  local command = { "XADD", base .. ":journal", "*" }
  for field, value in pairs(entry) do
    table.insert(command, field)
    table.insert(command, value)
  end
  write(unpack(command))
  added = added + 1
end

-- Puts the oldest entries into the opening sums, and forgets the reservations that ended by them.
local function trim()
  local journal = base .. ":journal"
  local length = redis.call("XLEN", journal)
  local excess = math.min(length + added - request.journalEntries, length, added + 10)
  if excess < 1 then return end
  local oldest = redis.call("XRANGE", journal, "-", "+", "COUNT", excess)
  for _, item in ipairs(oldest) do
    local entry = {}
    for index = 1, #item[2], 2 do entry[item[2][index]] = item[2][index + 1] end
    changeAll("opening", entry.accounts, postedIn(entry))
    if entry.reservation_id then write("DEL", base .. ":reservations:" .. entry.reservation_id) end
  end
  write("HSET", base .. ":ledger_schema", "opening_until", oldest[#oldest][1])
  write("XTRIM", journal, "MAXLEN", "=", length + added - #oldest)
end

local function commit(reply)
  trim()
  for key, book in pairs(books) do
    if book.isChanged then
      local fields = {}
      for _, field in ipairs(fieldsOf[book.kind]) do
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

local function free(hold)
  local field = hold.state == "unresolved" and "unresolved_pico_usd" or "held_pico_usd"
  changeAll("accounts", hold.accounts, { [field] = "-" .. hold.amount })
  write("ZREM", base .. (hold.state == "unresolved" and ":unresolved" or ":open"), hold.id)
end

-- The end of a reservation without cost, whose amount is free.
local function conclude(hold, state, evidence)
  if evidence then write("HSET", hold.key, "state", state, "evidence", evidence)
  else write("HSET", hold.key, "state", state) end
  enter({ kind = state, accounts = hold.accounts, reservation_id = hold.id })
end

-- Ends a reservation without cost.
local function finish(hold, state, evidence)
  free(hold)
  conclude(hold, state, evidence)
end

-- Posts the request's cost.
local function pay(kind, id, accounts, modelId)
  enter({
    kind = kind, accounts = accounts, reservation_id = id, model_id = modelId,
    amount_pico_usd = request.cost, call_count = "1", bound_call_count = request.isBound and "1" or "0",
  })
  for _, name in ipairs(linesOf(accounts)) do
    local key = base .. ":account_models:" .. name
    local spent = redis.call("HGET", key, "spent_pico_usd " .. modelId) or "0"
    write("HINCRBY", key, "call_count " .. modelId, 1)
    write("HSET", key, "spent_pico_usd " .. modelId, add(spent, request.cost))
  end
end
`;
