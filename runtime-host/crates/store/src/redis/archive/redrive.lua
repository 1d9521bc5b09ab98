-- Publishes a dead letter's event again, for its subscriber alone; the letter is gone with it. KEYS[1]: the place.
-- ARGV: the letter, token, the shard, the subscriber's topic, the time, the channel of our own events, the note for it.
-- Answers whether it was there.
local tokens, letter = KEYS[1] .. ':tokens', KEYS[1] .. ':letter:' .. ARGV[1]
if redis.call('ZSCORE', tokens, ARGV[2]) then return 1 end
local event = redis.call('HMGET', letter, 't', 'k', 'p', 'r')
if not event[1] then return 0 end
redis.call('XADD', KEYS[1] .. ':log:' .. ARGV[3], '*', 't', ARGV[4], 'o', event[1], 'k', event[2], 'p', event[3],
  'r', event[4], 'a', ARGV[5])
redis.call('HINCRBY', KEYS[1] .. ':topics', ARGV[4], 1)
redis.call('PUBLISH', ARGV[6], ARGV[7])
redis.call('DEL', letter)
redis.call('ZREM', KEYS[1] .. ':letters', ARGV[1])
redis.call('ZADD', tokens, redis.call('TIME')[1] * 1000, ARGV[2])
return 1
