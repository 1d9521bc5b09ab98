-- Adds an entry to the journal of a run, and writes what the list says of the run from then on.
-- ARGV: run, place of the entry, entry, then the fields of the summary.
-- A journal is a list, so that where it goes on is how long it is: what a server lost is missed at once.
local names = {
  'epoch', 'component', 'subject', 'standing', 'started_at', 'revision', 'key', 'note', 'updated_at', 'due', 'records',
  'bytes'
}
local prefix, run, place, entry = KEYS[1] .. ':', ARGV[1], tonumber(ARGV[2]), ARGV[3]
local summary, journal = prefix .. 'run:' .. run, prefix .. 'journal:' .. run

local new = {}
for number, name in ipairs(names) do
  new[name] = ARGV[3 + number]
end
local old, found = {}, redis.call('HMGET', summary, unpack(names))
for number, name in ipairs(names) do
  old[name] = found[number]
end

local length = redis.call('LLEN', journal)
if old.epoch then
  if length == 0 then
    return { 'torn' }
  end
  if new.epoch < old.epoch then
    return { 'fenced', old.epoch }
  end
  if place ~= length + 1 then
    local is_there = new.epoch == old.epoch and place >= 1 and place <= length
    if is_there and redis.call('LINDEX', journal, place - 1) == entry then
      return { 'ok' }
    end
    return { 'conflict', length + 1 }
  end
elseif length > 0 then
  return { 'torn' }
elseif place ~= 1 then
  return { 'conflict', 1 }
end

-- The first write is one that a full server refuses: after it none is, and nothing is left half done.
redis.call('RPUSH', journal, entry)

local function indexes(of)
  return {
    'runs', 'runs:standing:' .. of.standing, 'runs:component:' .. of.standing .. ':' .. of.component,
    'runs:subject:' .. of.subject
  }
end
local moves = false
local changed = {}
for number, name in ipairs(names) do
  if new[name] ~= old[name] then
    changed[#changed + 1] = name
    changed[#changed + 1] = new[name]
    moves = moves or (number >= 2 and number <= 5)
  end
end
if old.epoch and moves then
  for _, index in ipairs(indexes(old)) do
    redis.call('ZREM', prefix .. index, old.started_at .. ':' .. run)
  end
end
if not old.epoch then
  redis.call('ZADD', prefix .. 'runs:id', 0, run)
end
if moves then
  for _, index in ipairs(indexes(new)) do
    redis.call('ZADD', prefix .. index, 0, new.started_at .. ':' .. run)
  end
end
if #changed > 0 then
  redis.call('HSET', summary, unpack(changed))
end
return { 'ok' }
