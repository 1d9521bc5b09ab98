-- Dead letters of one place, in order. KEYS[1]: the place. ARGV: least and greatest as ZRANGE BYLEX takes them, how many.
local found = {}
for _, name in ipairs(redis.call('ZRANGE', KEYS[1] .. ':letters', ARGV[1], ARGV[2], 'BYLEX', 'LIMIT', 0, ARGV[3])) do
  found[#found + 1] = {name, redis.call('HGETALL', KEYS[1] .. ':letter:' .. name)}
end
return found
