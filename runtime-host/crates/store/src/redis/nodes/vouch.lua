-- Notes on which servers the owners of some epochs have looked whether all that they wrote is there.
-- ARGV: who the servers are, epochs.
local key = KEYS[1] .. ':vouched'
for at = 2, #ARGV do
  redis.call('HSET', key, ARGV[at], ARGV[1])
end
return 1
