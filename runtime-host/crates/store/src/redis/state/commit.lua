-- Commits what one unit of work did, or nothing of it.
-- KEYS: the places that it touches; the first is the component's own. ARGV: see `Commit` in commit.rs.
-- Answers {0}: committed; {1, n}: the n-th subject it had read has changed; {2}: the event was handled before.
-- Nothing is written before all is checked, and the first write is one that a full server refuses.
local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local own = KEYS[1]
local tokens = own .. ':tokens'
local token, channel, mayforget = take(), take(), take()
local answered = {}
for i = 1, tonumber(take()) do answered[i] = take() end
local score = redis.call('ZSCORE', tokens, token)
-- Of this very commit an answer was lost. A refusal is kept with half a millisecond.
if score and tonumber(score) % 1 == 0 then return {0} end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local book, done, failed, sequence
local refusal
if take() == '1' then
  local place, name, generation = KEYS[tonumber(take())], take(), take()
  sequence = take()
  book = place .. ':book:' .. name
  done = place .. ':done:' .. name
  failed = place .. ':failed:' .. name
  local page = redis.call('HMGET', book, 'generation', 'cursor')
  if (page[1] or '0') ~= generation
    or sequence <= (page[2] or '')
    or redis.call('ZSCORE', done, sequence) then
    refusal = {2}
  end
end
for i = 1, tonumber(take()) do
  local kind, place, store = take(), KEYS[tonumber(take())], take()
  local version
  if kind == 'k' then
    local value = redis.call('HGET', place .. ':kv:' .. store, take())
    version = value and string.match(value, '^(%d+):') or '0'
  else
    version = redis.call('HGET', place .. ':meta', 'keys:' .. store) or '0'
  end
  if take() ~= version and not refusal then refusal = {1, i} end
end
if score and not refusal then refusal = {1, 0} end
if refusal then
  -- So that a copy of this commit that was held up on its way comes to the same end.
  if ARGV[#ARGV] == 'again' and not score then redis.call('ZADD', tokens, now + 0.5, token) end
  return refusal
end

local versions = {}
local function version_of(place)
  if not versions[place] then
    versions[place] = string.format('%.0f', redis.call('HINCRBY', place .. ':meta', 'version', 1))
  end
  return versions[place]
end
version_of(own)
for _ = 1, tonumber(take()) do
  local place, store, name, sets = KEYS[tonumber(take())], take(), take(), take()
  local version = version_of(place)
  local altered
  if sets == '1' then
    altered = redis.call('HSET', place .. ':kv:' .. store, name, version .. ':' .. take()) == 1
    if altered then redis.call('ZADD', place .. ':names:' .. store, 0, name) end
  else
    altered = redis.call('HDEL', place .. ':kv:' .. store, name) == 1
    if altered then redis.call('ZREM', place .. ':names:' .. store, name) end
  end
  if altered then redis.call('HSET', place .. ':meta', 'keys:' .. store, version) end
end
for _ = 1, tonumber(take()) do
  local log, topic, key, payload, trace, time, digest = own .. ':log:' .. take(), take(), take(), take(), take(), take(), take()
  local id = redis.call('XADD', log, '*', 't', topic, 'k', key, 'p', payload, 'r', trace, 'a', time)
  -- A number has room for 2^20 events of one millisecond. Only a clock that stands still could bring so many.
  local ms, n = string.match(id, '^(%d+)-(%d+)$')
  if tonumber(n) > 500000 then redis.call('XSETID', log, string.format('%.0f', tonumber(ms) + 1) .. '-0') end
  redis.call('HINCRBY', own .. ':topics', topic, 1)
  -- The note comes first, so that hosts know the message that follows as their own.
  -- A refusal here would leave half a commit: who may not listen is not worth that.
  redis.pcall('PUBLISH', channel, topic .. '\n' .. digest)
  redis.pcall('PUBLISH', topic, payload)
end
if done then
  redis.call('ZADD', done, 0, sequence)
  redis.call('HDEL', failed, sequence)
end
redis.call('ZADD', tokens, now, token)
if #answered > 0 then redis.call('ZREM', tokens, unpack(answered)) end
if redis.call('ZCARD', tokens) > 1000 then
  redis.call('ZREMRANGEBYSCORE', tokens, '-inf', now - tonumber(mayforget))
end
return {0}
