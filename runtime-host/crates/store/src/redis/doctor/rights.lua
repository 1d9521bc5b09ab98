-- Tries every command that the scripts of the adapter use, on keys of its own, and says which of them may not be used.
local prefix, failures = KEYS[1], {}
local hash, sorted, stream = prefix .. ':hash', prefix .. ':sorted', prefix .. ':stream'
local list, text = prefix .. ':list', prefix .. ':text'

local function try(name, ...)
  local answer = redis.pcall(name, ...)
  if type(answer) == 'table' and answer.err then
    failures[#failures + 1] = name .. ': ' .. answer.err
  end
end

try('DEL', hash, sorted, stream, list, text)
try('TIME')
try('SET', text, '1')
try('GET', text)
try('EXISTS', text)
try('HSET', hash, 'field', '1')
try('HSETNX', hash, 'field', '1')
try('HGET', hash, 'field')
try('HMGET', hash, 'field')
try('HGETALL', hash)
try('HKEYS', hash)
try('HVALS', hash)
try('HLEN', hash)
try('HEXISTS', hash, 'field')
try('HINCRBY', hash, 'field', 1)
try('HDEL', hash, 'field')
try('ZADD', sorted, 0, 'member')
try('ZSCORE', sorted, 'member')
try('ZCARD', sorted)
try('ZCOUNT', sorted, 0, 1)
try('ZLEXCOUNT', sorted, '-', '+')
try('ZRANGE', sorted, '-', '+', 'BYLEX')
try('ZREVRANGE', sorted, 0, 1)
try('ZRANGEBYSCORE', sorted, '-inf', '+inf')
try('ZRANGEBYLEX', sorted, '-', '+')
try('ZREMRANGEBYRANK', sorted, 5, 6)
try('ZREMRANGEBYSCORE', sorted, 5, 6)
try('ZREMRANGEBYLEX', sorted, '[x', '[y')
try('ZREM', sorted, 'member')
try('XADD', stream, '1-1', 'field', '1')
try('XLEN', stream)
try('XRANGE', stream, '-', '+')
try('XREVRANGE', stream, '+', '-')
try('XSETID', stream, '2-1')
try('XGROUP', 'CREATE', stream, 'group', '0')
try('XINFO', 'GROUPS', stream)
try('XPENDING', stream, 'group')
try('XTRIM', stream, 'MAXLEN', 1)
try('XDEL', stream, '1-1')
try('RPUSH', list, '1')
try('LLEN', list)
try('LINDEX', list, 0)
try('LRANGE', list, 0, 1)
try('PUBLISH', ARGV[1], '')
local answer = redis.pcall('PUBLISH', ARGV[2], '')
if type(answer) == 'table' and answer.err then
  failures[#failures + 1] = 'PUBLISH on any channel: ' .. answer.err
end
try('DEL', hash, sorted, stream, list, text)
return failures
