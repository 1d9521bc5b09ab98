-- Whether all that was read is still as it was seen. KEYS: the places. ARGV for each subject: kind, number of the place,
-- store, name where it is a key, version. Answers {number of the first that has changed or 0, for each place how often
-- it was committed to}.
local answer = {0}
local at, number = 1, 0
while at < #ARGV do
  number = number + 1
  local place, store = KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2]
  local version
  if ARGV[at] == 'k' then
    local value = redis.call('HGET', place .. ':kv:' .. store, ARGV[at + 3])
    version = value and string.match(value, '^(%d+):') or '0'
    at = at + 4
  else
    version = redis.call('HGET', place .. ':meta', 'keys:' .. store) or '0'
    at = at + 3
  end
  if version ~= ARGV[at] and answer[1] == 0 then answer[1] = number end
  at = at + 1
end
for _, place in ipairs(KEYS) do
  answer[#answer + 1] = tonumber(redis.call('HGET', place .. ':meta', 'version') or 0)
end
return answer
