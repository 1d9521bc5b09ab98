-- Finds the places of components and stores, and gives places to those that have none.
-- KEYS[1]: the host's place. ARGV: shards, whether places can be on different servers, and then for each group of
-- components that share stores: how many components, their names, how many stores, their names.
-- Answers {shards, all places} or {-1, component, its place, store, its place}.
local places = KEYS[1] .. ':places'
local settings = KEYS[1] .. ':settings'
local known = {}
local flat = redis.call('HGETALL', places)
for i = 1, #flat, 2 do known[flat[i]] = flat[i + 1] end
local given = {}
local at = 3
local function names(kind)
  local count = tonumber(ARGV[at])
  local fields = {}
  for i = 1, count do fields[i] = kind .. ARGV[at + i] end
  at = at + count + 1
  return fields
end
while at <= #ARGV do
  local components = names('c:')
  local stores = names('s:')
  local home
  for _, field in ipairs(stores) do home = home or known[field] end
  for _, field in ipairs(components) do home = home or known[field] end
  home = home or components[1]:sub(3)
  for _, fields in ipairs({components, stores}) do
    for _, field in ipairs(fields) do
      if not known[field] then
        known[field] = home
        given[#given + 1] = field
      end
    end
  end
  if ARGV[2] == '1' then
    for _, component in ipairs(components) do
      for _, store in ipairs(stores) do
        if known[component] ~= known[store] then
          return {-1, component:sub(3), known[component], store:sub(3), known[store]}
        end
      end
    end
  end
end
local shards = redis.call('HGET', settings, 'shards')
if not shards then
  shards = ARGV[1]
  redis.call('HSET', settings, 'shards', shards)
end
for _, field in ipairs(given) do redis.call('HSET', places, field, known[field]) end
local all = {}
for field, place in pairs(known) do
  all[#all + 1] = field
  all[#all + 1] = place
end
return {tonumber(shards), all}
