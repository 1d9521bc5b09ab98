-- A key's value, and how often its place was committed to. KEYS[1]: the place. ARGV: store, key.
return {
  redis.call('HGET', KEYS[1] .. ':kv:' .. ARGV[1], ARGV[2]),
  redis.call('HGET', KEYS[1] .. ':meta', 'version')
}
