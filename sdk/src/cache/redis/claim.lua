-- Gives a lease on each place that has nothing which counts.
-- KEYS: the family's generation, then the places.
-- ARGV: the lease's token, its milliseconds, a generation for a family that has none, its milliseconds, '1' if the run of the
-- server is to be told; then for each place the token of a value that is refused, or ''.
local run = ''
if ARGV[5] == '1' then
  run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
end
local generation = redis.call('GET', KEYS[1])
if not generation then
  generation = ARGV[3]
  redis.call('SET', KEYS[1], generation, 'PX', ARGV[4])
elseif redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
  -- Others of the family may be kept for longer than this one.
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
local answer = { run, generation }
for i = 2, #KEYS do
  local value = redis.call('GET', KEYS[i])
  local kind = value and string.sub(value, 1, 1)
  local counts = value and string.sub(value, 2, 9) == generation
  if kind == 'V' and counts and string.sub(value, 10, 17) ~= ARGV[i + 4] then
    answer[i + 1] = value
  elseif kind == 'L' and counts or kind == 'D' then
    answer[i + 1] = kind
  else
    redis.call('SET', KEYS[i], 'L' .. generation .. ARGV[1], 'PX', ARGV[2])
    answer[i + 1] = '+'
  end
end
return answer
