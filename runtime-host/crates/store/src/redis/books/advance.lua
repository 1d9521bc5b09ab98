#!lua flags=allow-oom
-- Moves a cursor, never back, and forgets the notes on what is before it. It frees memory, also where none is left.
-- KEYS[1]: the subscriber's place. ARGV: the book, generation, cursor.
local book = KEYS[1] .. ':book:' .. ARGV[1]
local failed = KEYS[1] .. ':failed:' .. ARGV[1]
local page = redis.call('HMGET', book, 'generation', 'cursor')
if (page[1] or '0') ~= ARGV[2] then return 0 end
if (page[2] or '') < ARGV[3] then redis.call('HSET', book, 'cursor', ARGV[3]) end
redis.call('ZREMRANGEBYLEX', KEYS[1] .. ':done:' .. ARGV[1], '-', '[' .. ARGV[3])
for _, sequence in ipairs(redis.call('HKEYS', failed)) do
  if sequence <= ARGV[3] then redis.call('HDEL', failed, sequence) end
end
return 1
