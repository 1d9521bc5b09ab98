-- What consumer groups of others still need. KEYS[1]: the place. ARGV: shard, then our own subscribers.
-- Answers for each group {last id it was given, or the oldest it has not acknowledged, whether it is the latter}.
local log, ours, needs = KEYS[1] .. ':log:' .. ARGV[1], {}, {}
for i = 2, #ARGV do ours[ARGV[i]] = true end
local groups = redis.pcall('XINFO', 'GROUPS', log)
if groups.err then return needs end
for _, flat in ipairs(groups) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  if not ours[group.name] then
    needs[#needs + 1] = {group['last-delivered-id'], 0}
    local pending = redis.call('XPENDING', log, group.name)
    if pending[1] > 0 then needs[#needs + 1] = {pending[2], 1} end
  end
end
return needs
