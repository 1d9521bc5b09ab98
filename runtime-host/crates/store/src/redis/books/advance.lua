#!lua flags=allow-oom
-- Moves a cursor, never back, and forgets the notes on what is before it. It frees memory, also where none is left.
-- KEYS[1]: the subscriber's place. ARGV: the book, generation, cursor.
local book = KEYS[1] .. ':book:' .. ARGV[1]
local done, failed = KEYS[1] .. ':done:' .. ARGV[1], KEYS[1] .. ':failed:' .. ARGV[1]
local page = redis.call('HMGET', book, 'generation', 'cursor')
if (page[1] or '0') ~= ARGV[2] then return 0 end
if (page[2] or '') < ARGV[3] then redis.call('HSET', book, 'cursor', ARGV[3]) end
-- Lua has room for some thousands on its stack.
local function forget(command, key, all)
  local past = {}
  for _, sequence in ipairs(all) do
    if sequence <= ARGV[3] then past[#past + 1] = sequence end
  end
  for first = 1, #past, 1000 do
    redis.call(command, key, unpack(past, first, math.min(first + 999, #past)))
  end
end
forget('ZREM', done, redis.call('ZRANGE', done, 0, -1))
forget('HDEL', failed, redis.call('HKEYS', failed))
return 1
