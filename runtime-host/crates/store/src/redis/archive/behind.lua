-- Counts events. KEYS[1]: the place. ARGV: shard, where to begin, how many topics, the topics, then ids that are done.
-- Answers {how many, the earliest time, where to go on}; at the end it goes on nowhere.
local wanted, done = {}, {}
for i = 4, 3 + ARGV[3] do wanted[ARGV[i]] = true end
for i = 4 + ARGV[3], #ARGV do done[ARGV[i]] = true end
local count, oldest = 0, false
local entries = redis.call('XRANGE', KEYS[1] .. ':log:' .. ARGV[1], ARGV[2], '+', 'COUNT', 500)
for _, entry in ipairs(entries) do
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  if wanted[fields.t] and not done[entry[1]] then
    count = count + 1
    if not oldest or tonumber(fields.a) < tonumber(oldest) then oldest = fields.a end
  end
end
return {count, oldest, #entries == 500 and '(' .. entries[500][1]}
