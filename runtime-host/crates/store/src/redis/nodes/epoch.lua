-- A number larger than any before. It is made of the time, so that a server that lost its last writes does not give a
-- number again that somebody has.
local key = KEYS[1] .. ':epoch'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = tonumber(redis.call('GET', key) or '0')
local next = string.format('%.0f', math.max(last + 1, now))
redis.call('SET', key, next)
return next
