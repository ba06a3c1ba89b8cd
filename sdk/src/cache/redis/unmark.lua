-- Takes a mark away, if it is still this one. KEYS: the place. ARGV: the mark.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
