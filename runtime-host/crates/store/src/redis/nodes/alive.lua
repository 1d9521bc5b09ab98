-- What the nodes say of themselves whose leases have not ended.
local prefix = KEYS[1] .. ':'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local alive = redis.call('ZRANGEBYSCORE', prefix .. 'leases', string.format('(%.0f', now), '+inf')
if #alive == 0 then
  return {}
end
return redis.call('HMGET', prefix .. 'nodes', unpack(alive))
