-- wrk script: one JSON-RPC POST with an id of its own per request.
-- Environment: BODY with the placeholder id 123456789, HEADERS as "name: value" lines.
local before, after, id = "", "", 100000000

function init()
  local headers = { ["Host"] = wrk.headers["Host"] }
  for line in string.gmatch(os.getenv("HEADERS"), "[^\n]+") do
    local name, value = string.match(line, "^([^:]+):%s*(.*)$")
    headers[name] = value
  end
  local text = wrk.format("POST", nil, headers, os.getenv("BODY"))
  local first, last = string.find(text, "123456789", 1, true)
  before, after = string.sub(text, 1, first - 1), string.sub(text, last + 1)
end

function request()
  id = id + 1
  return before .. id .. after
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout, latency:percentile(50), latency:percentile(99)))
end
