-- Says that a node is alive no more. ARGV: node.
redis.call('ZREM', KEYS[1] .. ':leases', ARGV[1])
redis.call('HDEL', KEYS[1] .. ':nodes', ARGV[1])
return 1
