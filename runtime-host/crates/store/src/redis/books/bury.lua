-- Keeps an event as a dead letter and marks it as handled, unless it is done with. KEYS[1]: the subscriber's place.
-- ARGV: the book, number, the letter's name, then its fields and values.
if ARGV[2] <= (redis.call('HGET', KEYS[1] .. ':book:' .. ARGV[1], 'cursor') or '')
  or redis.call('ZSCORE', KEYS[1] .. ':done:' .. ARGV[1], ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1] .. ':letter:' .. ARGV[3], unpack(ARGV, 4))
redis.call('ZADD', KEYS[1] .. ':letters', 0, ARGV[3])
redis.call('ZADD', KEYS[1] .. ':done:' .. ARGV[1], 0, ARGV[2])
redis.call('HDEL', KEYS[1] .. ':failed:' .. ARGV[1], ARGV[2])
return 1
