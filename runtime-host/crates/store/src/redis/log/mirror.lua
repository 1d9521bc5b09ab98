-- Shows other tools how far a subscriber has come, as a consumer group of the stream; nothing depends on it.
-- KEYS[1]: the place. ARGV: the shard, the subscriber, the id.
local log = KEYS[1] .. ':log:' .. ARGV[1]
local moved = redis.pcall('XGROUP', 'SETID', log, ARGV[2], ARGV[3])
if type(moved) == 'table' and moved.err then redis.pcall('XGROUP', 'CREATE', log, ARGV[2], ARGV[3]) end
return 1
