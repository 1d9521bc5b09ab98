-- Takes in an event that somebody else published, once, however many nodes heard it. KEYS[1]: the place of such events.
-- ARGV: what it is known by, for how many milliseconds, shard, topic, key, payload, trace, the channel of our own events,
-- the note for it.
-- Answers whether it was new.
if not redis.call('SET', KEYS[1] .. ':seen:' .. ARGV[1], '1', 'NX', 'PX', ARGV[2]) then return 0 end
local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000000 + clock[2])
redis.call('XADD', KEYS[1] .. ':log:' .. ARGV[3], '*', 't', ARGV[4], 'k', ARGV[5], 'p', ARGV[6], 'r', ARGV[7], 'a', now)
redis.call('HINCRBY', KEYS[1] .. ':topics', ARGV[4], 1)
redis.call('PUBLISH', ARGV[8], ARGV[9])
return 1
