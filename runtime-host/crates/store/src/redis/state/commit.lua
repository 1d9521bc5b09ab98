-- Commits what units of work did, each of them whole or not at all.
-- KEYS: the places that they touch; the first is the component's own. ARGV: see `call` in batch.rs, `Unit` in unit.rs.
-- Answers for each unit {0}: committed; {1, n}: the n-th subject it had read has changed; {2}: the event was handled before.
-- A unit writes nothing before all is checked, and its first write is one that a full server refuses. Whether a server is
-- full, or may be written to at all, does not change while a script runs: an error of that kind means that none was
-- committed.
-- There are few functions and tables here: each costs as much as half a command. Numbers are texts, since Redis writes
-- those of Lua as fractions.
local call, argv = redis.call, ARGV
local own, tokens = KEYS[1], KEYS[1] .. ':tokens'
local name_of_own, channel, mayforget, heard = argv[1], argv[2], argv[3], tonumber(argv[4])
local at = 5 + heard

local now, micros
local function read_clock()
  if now then return end
  local time = call('TIME')
  now = time[1] .. string.format('%03d', time[2] / 1000)
  micros = time[1] * 1000000 + time[2]
end

-- One number for all of this script in a place: nobody can see it between two units. Never one that a server gave which
-- is gone, and whose last commits this one has not copied.
local versions = {}
local function version_of(place)
  if not versions[place] then
    read_clock()
    local last = tonumber(call('HGET', place .. ':meta', 'version') or 0)
    versions[place] = string.format('%.0f', math.max(last + 1, micros))
    call('HSET', place .. ':meta', 'version', versions[place])
  end
  return versions[place]
end

-- What another copy of a unit, or somebody else, has left where the unit leaves its trace: its mark, or its token.
local function found(set, member, claim, changed)
  local score = call('ZSCORE', set, member)
  if claim then
    if not score then return {1, changed} end
    return {tonumber(score) == tonumber(claim) and 0 or 2}
  end
  -- A refusal is kept with half a millisecond, so that a copy of the unit that was held up on its way comes to the same end.
  if score and tonumber(score) % 1 == 0 then return {0} end
  if argv[#argv] == 'again' and not score then
    read_clock()
    call('ZADD', set, now .. '.5', member)
  end
  return {1, changed or 0}
end

local answers, pages, topics, notes, messages = {}, {}, {}, {}, {}
-- What the unit at work leaves its trace in, and the trace.
local set, member, is_at_work
local function commit()
  for unit = 1, tonumber(argv[at]) do
    local next = at + 1 + tonumber(argv[at + 1])
    at = at + 3
    local score, claim
    set, member = tokens, argv[at]
    local is_late = false
    if argv[at - 1] == '1' then
      local book = argv[at + 1]
      local place = KEYS[tonumber(member)]
      local page = pages[book]
      if not page then
        page = call('HMGET', place .. ':book:' .. book, 'generation', 'cursor')
        pages[book] = page
      end
      set, member, claim = place .. ':done:' .. book, argv[at + 3], argv[at + 4]
      is_late = (page[1] or '0') ~= argv[at + 2] or member <= (page[2] or '')
      score = claim
      at = at + 4
    else
      read_clock()
      score = now
    end

    -- What it has read.
    local changed
    at = at + 1
    if not is_late and argv[at] ~= '0' then
      for i = 1, tonumber(argv[at]) do
        local kind, place, store = argv[at + 1], KEYS[tonumber(argv[at + 2])], argv[at + 3]
        local version
        if kind == 'k' then
          local value = call('HGET', place .. ':kv:' .. store, argv[at + 4])
          version = value and string.match(value, '^(%d+):') or '0'
          at = at + 5
        else
          version = call('HGET', place .. ':meta', 'keys:' .. store) or '0'
          at = at + 4
        end
        if argv[at] ~= version then changed = changed or i end
      end
    end

    if is_late then
      answers[unit] = {2}
    elseif changed or call('ZADD', set, 'NX', score, member) == 0 then
      answers[unit] = found(set, member, claim, changed)
    else
      answers[unit] = {0}
      is_at_work = true
      -- What it writes.
      at = at + 1
      if argv[at] ~= '0' then
        for _ = 1, tonumber(argv[at]) do
          local place, store, name = KEYS[tonumber(argv[at + 1])], argv[at + 2], argv[at + 3]
          local version = version_of(place)
          local altered
          at = at + 4
          if argv[at] == '1' then
            at = at + 1
            altered = call('HSET', place .. ':kv:' .. store, name, version .. ':' .. argv[at]) == 1
            if altered then call('ZADD', place .. ':names:' .. store, 0, name) end
          else
            altered = call('HDEL', place .. ':kv:' .. store, name) == 1
            if altered then call('ZREM', place .. ':names:' .. store, name) end
          end
          if altered then call('HSET', place .. ':meta', 'keys:' .. store, version) end
        end
      end
      -- What it publishes: shard, topic, key, payload, trace, time, digest.
      at = at + 1
      if argv[at] ~= '0' then
        for _ = 1, tonumber(argv[at]) do
          local shard, topic, payload = argv[at + 1], argv[at + 2], argv[at + 4]
          local log = own .. ':log:' .. shard
          local id = call('XADD', log, '*', 't', topic, 'k', argv[at + 3], 'p', payload, 'r', argv[at + 5], 'a', argv[at + 6])
          -- A number has room for 2^20 events of one millisecond. Only a clock that stands still could bring so many.
          if #id > 19 then
            local ms, n = string.match(id, '^(%d+)-(%d+)$')
            if tonumber(n) > 500000 then call('XSETID', log, string.format('%d', ms + 1) .. '-0') end
          end
          topics[topic] = (topics[topic] or 0) + 1
          notes[#notes + 1] = shard .. ' ' .. argv[at + 7] .. ' ' .. #topic .. ' ' .. topic
          messages[#messages + 1] = topic
          messages[#messages + 1] = payload
          at = at + 7
        end
      end
      is_at_work = false
    end
    at = next
  end
end

local is_done, problem = pcall(commit)
-- Data that is not as it should be, or a right that is lacking. Who asks for this unit again must not hear that it is there;
-- those before it are.
if is_at_work then call('ZREM', set, member) end
if notes[1] then
  for topic, count in pairs(topics) do call('HINCRBY', own .. ':topics', topic, string.format('%d', count)) end
  -- The note comes first, so that hosts know the messages that follow as their own.
  -- A refusal here would leave half a commit: who may not listen is not worth that.
  redis.pcall('PUBLISH', channel, name_of_own .. '\n' .. table.concat(notes))
  for i = 1, #messages, 2 do redis.pcall('PUBLISH', messages[i], messages[i + 1]) end
end
if heard > 0 then call('ZREM', tokens, unpack(argv, 5, 4 + heard)) end
if mayforget ~= '' and call('ZCARD', tokens) > 1000 then
  read_clock()
  call('ZREMRANGEBYSCORE', tokens, '-inf', string.format('%d', now - mayforget))
end
if is_done then return answers end
local text = type(problem) == 'table' and problem.err or problem
return redis.error_reply(string.match(text, '^%u+ ') and text or 'ERR ' .. text)
