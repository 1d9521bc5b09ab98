-- Sums the bytes of payloads from the newest event on. KEYS[1]: the place. ARGV: shard, where to begin, how many bytes
-- there are already, how many are to be kept. Answers {id, sum, whether that id is beyond what is to be kept}.
local sum, keep = tonumber(ARGV[3]), tonumber(ARGV[4])
local last = false
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1] .. ':log:' .. ARGV[1], ARGV[2], '-', 'COUNT', 500)) do
  last = entry[1]
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'p' then sum = sum + #entry[2][i + 1] end
  end
  if sum > keep then return {last, sum, 1} end
end
return {last, sum, 0}
