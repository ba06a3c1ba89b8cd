-- What is kept in the places of a family, and on which run of the server. KEYS: the family's generation, then the places.
-- A cluster's connection does not tell which server answers, so the answer does.
local answer = { string.match(redis.call('INFO', 'server'), 'run_id:(%w+)'), redis.call('GET', KEYS[1]) }
for i = 2, #KEYS do
  answer[2 * i - 1] = redis.call('GET', KEYS[i])
  answer[2 * i] = redis.call('PTTL', KEYS[i])
end
return answer
