-- Fills each place on which the lease still stands, or frees it where there is nothing to fill it with.
-- KEYS: the family's generation, then the places. ARGV: the lease's token, the generation; for each place milliseconds and value.
local counts = redis.call('GET', KEYS[1]) == ARGV[2]
local answer = {}
for i = 2, #KEYS do
  answer[i - 1] = 0
  if counts and redis.call('GET', KEYS[i]) == 'L' .. ARGV[2] .. ARGV[1] then
    if ARGV[2 * i] == '' then
      redis.call('DEL', KEYS[i])
    else
      redis.call('SET', KEYS[i], ARGV[2 * i], 'PX', ARGV[2 * i - 1])
    end
    answer[i - 1] = 1
  end
end
return answer
