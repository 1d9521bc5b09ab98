-- The version of a store's set of keys, how often its place was committed to, and some of the names.
-- KEYS[1]: the place. ARGV: store, the least name as ZRANGE BYLEX takes it, how many.
local names = {}
if ARGV[3] ~= '0' then
  names = redis.call('ZRANGE', KEYS[1] .. ':names:' .. ARGV[1], ARGV[2], '+', 'BYLEX', 'LIMIT', 0, ARGV[3])
end
local versions = redis.call('HMGET', KEYS[1] .. ':meta', 'keys:' .. ARGV[1], 'version')
return {versions[1], versions[2], names}
