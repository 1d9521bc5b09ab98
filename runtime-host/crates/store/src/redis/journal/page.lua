-- Some members of an index of runs, each with what the list says of its run.
-- ARGV: index, lowest and highest member, how many, where in a member the run begins, then the names of fields.
local prefix = KEYS[1] .. ':'
local names = { unpack(ARGV, 6) }
local members = redis.call('ZRANGE', prefix .. ARGV[1], ARGV[2], ARGV[3], 'BYLEX', 'LIMIT', 0, ARGV[4])
local rows = {}
for number, member in ipairs(members) do
  local run = string.sub(member, tonumber(ARGV[5]))
  rows[number] = { member, unpack(redis.call('HMGET', prefix .. 'run:' .. run, unpack(names)), 1, #names) }
end
return rows
