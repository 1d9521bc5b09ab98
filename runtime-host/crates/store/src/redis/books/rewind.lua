-- Sends a subscriber somewhere else: a new generation of its book, with nothing noted in it. KEYS[1]: its place.
-- ARGV: the book, cursor, token.
local book = KEYS[1] .. ':book:' .. ARGV[1]
if redis.call('ZSCORE', KEYS[1] .. ':tokens', ARGV[3]) then return 1 end
redis.call('HSET', book, 'cursor', ARGV[2])
redis.call('HINCRBY', book, 'generation', 1)
redis.call('DEL', KEYS[1] .. ':done:' .. ARGV[1], KEYS[1] .. ':failed:' .. ARGV[1])
redis.call('ZADD', KEYS[1] .. ':tokens', redis.call('TIME')[1] * 1000, ARGV[3])
return 1
