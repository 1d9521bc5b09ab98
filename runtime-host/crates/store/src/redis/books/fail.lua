-- Notes that a delivery failed, unless it is done with. KEYS[1]: the subscriber's place. ARGV: the book, number, note.
if ARGV[2] <= (redis.call('HGET', KEYS[1] .. ':book:' .. ARGV[1], 'cursor') or '')
  or redis.call('ZSCORE', KEYS[1] .. ':done:' .. ARGV[1], ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1] .. ':failed:' .. ARGV[1], ARGV[2], ARGV[3])
return 1
