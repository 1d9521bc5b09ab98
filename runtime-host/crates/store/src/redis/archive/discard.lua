#!lua flags=allow-oom
-- Forgets a dead letter, also where no memory is left. KEYS[1]: the place. ARGV: the letter, token.
-- Answers whether it was there.
local tokens = KEYS[1] .. ':tokens'
if redis.call('ZSCORE', tokens, ARGV[2]) then return 1 end
if redis.call('ZREM', KEYS[1] .. ':letters', ARGV[1]) == 0 then return 0 end
redis.call('DEL', KEYS[1] .. ':letter:' .. ARGV[1])
redis.call('ZADD', tokens, redis.call('TIME')[1] * 1000, ARGV[2])
return 1
