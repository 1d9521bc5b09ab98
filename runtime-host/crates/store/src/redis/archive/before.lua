-- The id of the last event before the first that was recorded at a time or later. KEYS[1]: the place. ARGV: shard, time.
local log, at = KEYS[1] .. ':log:' .. ARGV[1], tonumber(ARGV[2])
local function recorded(entry)
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'a' then return tonumber(entry[2][i + 1]) end
  end
  return 0
end
local function milliseconds(entry) return tonumber(string.match(entry[1], '^(%d+)')) end
local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
if not first or recorded(first) >= at then return false end
-- The event at `low` is before the time; what is at `high` or later is not. Times go with ids, since both come from
-- clocks that are kept together.
local low = milliseconds(first)
local high = milliseconds(redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]) + 1
while high - low > 1 do
  local middle = math.floor((low + high) / 2)
  local entry = redis.call('XRANGE', log, string.format('%.0f', middle), '+', 'COUNT', 1)[1]
  if entry and recorded(entry) < at then
    low = milliseconds(entry)
  else
    high = middle
  end
end
local last
local from = string.format('%.0f', low)
while true do
  local entries = redis.call('XRANGE', log, from, '+', 'COUNT', 100)
  for _, entry in ipairs(entries) do
    if recorded(entry) >= at then return last end
    last = entry[1]
  end
  if #entries < 100 then return last end
  from = '(' .. last
end
