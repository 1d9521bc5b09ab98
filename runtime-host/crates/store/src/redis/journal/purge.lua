-- Forgets a run that has ended. ARGV: run, a token of this purge, how long it is known in milliseconds, standings of
-- runs that have ended.
-- A purge that is said again after its answer was lost gets the answer of the first one.
local prefix, run, token = KEYS[1] .. ':', ARGV[1], ARGV[2]
local summary, purged = prefix .. 'run:' .. run, prefix .. 'purged:' .. run
if redis.call('GET', purged) == token then
  return 1
end
local found = redis.call('HMGET', summary, 'standing', 'component', 'subject', 'started_at')
local standing, component, subject, started_at = found[1], found[2], found[3], found[4]
local has_ended = false
for number = 4, #ARGV do
  has_ended = has_ended or ARGV[number] == standing
end
if not standing or not has_ended then
  return 0
end
local member = started_at .. ':' .. run
redis.call('ZREM', prefix .. 'runs', member)
redis.call('ZREM', prefix .. 'runs:standing:' .. standing, member)
redis.call('ZREM', prefix .. 'runs:component:' .. standing .. ':' .. component, member)
redis.call('ZREM', prefix .. 'runs:subject:' .. subject, member)
redis.call('ZREM', prefix .. 'runs:id', run)
redis.call('DEL', summary, prefix .. 'journal:' .. run)
redis.call('SET', purged, token, 'PX', ARGV[3])
return 1
