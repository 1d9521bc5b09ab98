-- How far a subscriber has come. KEYS[1]: its place. ARGV: the book.
local page = redis.call('HMGET', KEYS[1] .. ':book:' .. ARGV[1], 'generation', 'cursor')
return {
  page[1], page[2],
  redis.call('ZRANGE', KEYS[1] .. ':done:' .. ARGV[1], 0, -1),
  redis.call('HGETALL', KEYS[1] .. ':failed:' .. ARGV[1])
}
