-- The id of the newest event of a stream, also of one that is not kept any more. KEYS[1]: the place. ARGV: the shard.
local found = redis.pcall('XINFO', 'STREAM', KEYS[1] .. ':log:' .. ARGV[1])
if found.err then return false end
for i = 1, #found, 2 do
  if found[i] == 'last-generated-id' then return found[i + 1] end
end
return false
