#!lua flags=allow-oom
-- Says that a node is alive, forgets those whose leases have ended, and lists the others.
-- ARGV: node, lease in milliseconds, what the node says of itself.
-- Also where no memory is left: nodes that nobody knew of any more would make it worse. Only the server's clock counts: those of nodes need not agree, and a node that was frozen does not know it.
local prefix = KEYS[1] .. ':'
local leases, nodes = prefix .. 'leases', prefix .. 'nodes'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', leases, string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('HSET', nodes, ARGV[1], ARGV[3])
for _, node in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', string.format('%.0f', now))) do
  redis.call('ZREM', leases, node)
  redis.call('HDEL', nodes, node)
end
return redis.call('HVALS', nodes)
