-- Removes what stands there, values, leases and marks alike, and says so to those who listen.
-- KEYS: what is removed. ARGV: the channel, or '', and the message.
redis.call('DEL', unpack(KEYS))
if ARGV[1] ~= '' then
  redis.call('PUBLISH', ARGV[1], ARGV[2])
end
return 1
