-- What REST clients may send and see, around the transcoder. Native gRPC passes as it is, but for Envoy's own errors.

-- Everything that the API reads of a request. Nothing else reaches it: cookies would use up the room that gRPC
-- gives to headers, and names that mean something to gRPC (grpc-timeout, *-bin) would mean it here.
local KEPT = {
  ["authorization"] = true, ["content-type"] = true, ["content-length"] = true, ["content-encoding"] = true,
  ["transfer-encoding"] = true, ["host"] = true, ["x-request-id"] = true, ["x-forwarded-for"] = true,
  ["x-forwarded-proto"] = true,
}
-- What it reads beside that where it answers plain HTTP itself (for_api): the page, recordings in ranges, uploads in pieces, assistants.
local KEPT_OF_HTTP = {
  ["accept"] = true, ["accept-encoding"] = true, ["range"] = true, ["if-range"] = true,
  ["tus-resumable"] = true, ["upload-length"] = true, ["upload-defer-length"] = true, ["upload-metadata"] = true,
  ["upload-offset"] = true, ["mcp-protocol-version"] = true, ["mcp-method"] = true, ["mcp-name"] = true,
}
-- What it reads beside that of a WebSocket's handshake. Extensions compress, and are not spoken.
local KEPT_OF_SOCKETS = {
  ["connection"] = true, ["upgrade"] = true, ["origin"] = true, ["sec-websocket-key"] = true,
  ["sec-websocket-version"] = true, ["sec-websocket-protocol"] = true,
}
-- Bytes of a request's headers, names and values, that are taken.
local LARGEST_HEADERS = 60 * 1024
-- What an answer carries for the gateway alone.
local DROPPED = {"x-http-code", "grpc-status", "grpc-message", "grpc-accept-encoding",
                 "grpc-status-details-bin", "server", "x-envoy-upstream-service-time"}
-- Tells the API how large an upload is, before it comes: gRPC's calls have no Content-Length.
local UPLOAD_LENGTH = "x-content-length"
-- Tells the route which calls are of one live meeting: where several APIs are, they go to the same (several_apis.py).
local LIVE_SESSION = "x-live-session"
-- Tells the API to end a stream after its headers.
local HEAD_ONLY = "x-head-only"

-- What the transcoder says of values, in the words of somebody who does not know it.
local NEEDED = {
  TYPE_INT32 = "must be a whole number from -2147483648 to 2147483647",
  TYPE_UINT32 = "must be a whole number from 0 to 4294967295",
  TYPE_BOOL = "must be true or false",
  TYPE_STRING = "must be a string",
  TYPE_BYTES = "must be base64",
  TYPE_DOUBLE = "must be a number",
  TYPE_FLOAT = "must be a number",
}
-- What gRPC or Envoy itself refused, by the status that became of it; their own words stay inside.
local REFUSED = {
  ["401"] = {"401", "Unauthorized"},
  ["403"] = {"400", "Bad request: upgrade: not supported"},
  ["429"] = {"413", "Request too large"},
  ["500"] = {"500", "Internal error"},
  ["501"] = {"400", "Bad request: transfer-encoding: only chunked is supported"},
  ["503"] = {"503", "Service unavailable"},
}

-- The reasons (errors.proto) of what gRPC or Envoy itself refused, where the status leaves no doubt.
local REASON = {
  ["400"] = "BAD_REQUEST", ["401"] = "UNAUTHENTICATED", ["415"] = "UNSUPPORTED_CONTENT_ENCODING",
  ["500"] = "INTERNAL_ERROR", ["503"] = "SERVICE_UNAVAILABLE",
}

-- gRPC's statuses of errors of Envoy's own for which it knows none: RESOURCE_EXHAUSTED and DEADLINE_EXCEEDED.
local GRPC_STATUS = {["Request too large"] = "8", ["Request timed out"] = "4"}

-- What the API sends with its refusal of a token (errors.proto), for the gateway's own.
local UNAUTHENTICATED = {
  ["grpc-status-details-bin"] =
    "CBASDFVuYXV0aG9yaXplZBpFCih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuRXJyb3JJbmZvEhkKD1VOQVVUSEVOVElDQVRFRBIGbWVldHJh",
  ["x-http-code"] = "401",
  ["x-meetra-reason"] = "UNAUTHENTICATED",
}

local function is_grpc(headers)
  -- Not gRPC-Web, which nothing here speaks.
  return (headers:get("content-type") or ""):match("^application/grpc%f[%z+;]") ~= nil
end

local function size_of(headers)
  local size = 0
  for name, value in pairs(headers) do size = size + #name + #value end
  return size
end

-- The name of a parameter as it is documented.
local function parameter(path)
  path = path:gsub("file_hash", "file-hash")
  -- The bodies of a rename and of a note of consent are fields of their own.
  if path == "" or path == "name" or path == "note" then return "body" end
  return (path:gsub("^name%.alias", "alias"):gsub("^note%.", ""))
end

-- Why the transcoder refused a request; `said` is its own message, quotes escaped as JSON escapes them.
local function reason(said)
  said = said:gsub('\\u0022', '\\"')
  local twice = said:match("oneof field '_?([%w_]+)' is already set")
  if twice then return parameter(twice) .. ": given more than once" end
  local object = said:match("Starting an object on a scalar field for type ([%w_]+)")
  if object then return parameter(object) .. ": must be a single value, not an object" end
  local list = said:match("^([%w_%.%[%]]*): Proto field is not repeating")
  if list then return parameter(list) .. ": must be a single value, not a list" end
  local path, kind = said:match("^([%w_%.%[%]]*): invalid value .* for type ([%w_%./]+)$")
  if path then return parameter(path) .. ": " .. (NEEDED[kind] or "invalid value") end
  local unknown = said:match('Could not find field \\"([%w_%.%%~-]+)\\"') or said:match('non%-leaf field \\"([%w_]+)\\"')
  if unknown and #unknown <= 100 then return parameter(unknown) .. ": unknown parameter" end
  if said:match("^Could not find field") then return "query: contains an unknown parameter" end
  if said == "" or said:match("^Bad Request") then return "the request is not well-formed HTTP" end
  if said:match("Root element") then return "body: must be a JSON object" end
  if said:match("too deep") then return "body: nested too deeply" end
  if said:match("non UTF%-8") then return "body: not UTF-8" end
  if said:match("exceeds the range") then return "body: contains a number out of range" end
  if said:match("must have a name") then return "body: contains a member without a name" end
  if said:match("^Expected a value%.\\n\239\187\191") then return "body: begins with a byte order mark; remove it" end
  return "body: not well-formed JSON"
end

-- Spells `Bearer` as the filter that verifies tokens finds it; the API takes any case and number of spaces.
local function spell_bearer(headers)
  if headers:getNumValues("authorization") ~= 1 then return end
  local scheme, token = headers:get("authorization"):match("^(%a+) +([^ ]+) *$")
  if scheme and scheme:lower() == "bearer" then headers:replace("authorization", "Bearer " .. token) end
end

-- Whether a path is that of a WebSocket, and whether it is that of a meeting's server-sent events or its sound.
local function for_pages(path)
  return path:match("^/single%-feature%-api/live/socket/?$") ~= nil,
    path == "/single-feature-api/meeting/audio" or path:match("^/single%-feature%-api/live/[^/]+/events/?$") ~= nil or path:match("^/single%-feature%-api/live/events/?$") ~= nil
end

-- Where paths of REST begin, as in the routes of envoy.yaml.
local OF_REST = {"/api", "/single-feature-api/", "/speakers-balance", "/.well-known/"}

-- Whether a path is not the transcoder's: the API answers plain HTTP itself.
local function for_api(path)
  if path:match("^/single%-feature%-api/uploads%f[/%z?]") or path:match("^/single%-feature%-api/meeting/audio%f[%z?]") then
    return true
  end
  for _, prefix in ipairs(OF_REST) do
    if path:sub(1, #prefix) == prefix then return false end
  end
  return true
end

-- A page can set no headers of an EventSource, a WebSocket or a player: a session token, and no other, may come in the query or as a
-- WebSocket's protocol. It goes on as a header, and nothing behind this filter sees or logs it elsewhere.
local function move_token(headers)
  local path, query = (headers:get(":path") or ""):match("^([^?]*)%??(.*)$")
  local socket, events = for_pages(path)
  if not socket and not events then return end
  local found, kept = nil, {}
  if headers:get("authorization") == nil then
    for part in query:gmatch("[^&]+") do
      local token = part:match("^access_token=(ms_[%w_.-]+)$")
      if token and not found then found = token else kept[#kept + 1] = part end
    end
    if found then headers:replace(":path", #kept > 0 and path .. "?" .. table.concat(kept, "&") or path) end
  end
  if socket and headers:get("sec-websocket-protocol") then
    local protocols = {}
    for protocol in headers:get("sec-websocket-protocol"):gmatch("[^%s,]+") do
      local token = protocol:match("^bearer%.(ms_[%w_.-]+)$")
      if token then found = found or token else protocols[#protocols + 1] = protocol end
    end
    if #protocols > 0 then headers:replace("sec-websocket-protocol", table.concat(protocols, ", "))
    else headers:remove("sec-websocket-protocol") end
  end
  if found and headers:get("authorization") == nil then headers:replace("authorization", "Bearer " .. found) end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  if size_of(headers) > LARGEST_HEADERS then
    -- Plain HTTP does not see the status that is for gRPC.
    handle:respond({[":status"] = "431", ["grpc-status"] = "8"}, "Request Header Fields Too Large")
    return
  end
  spell_bearer(headers)
  if is_grpc(headers) then return end
  move_token(headers)
  local surplus, socket = {}, for_pages((headers:get(":path") or ""):match("^[^?]*"))
  local plain = for_api(headers:get(":path") or "")
  for name, _ in pairs(headers) do
    if name:sub(1, 1) ~= ":" and not KEPT[name] and not (socket and KEPT_OF_SOCKETS[name]) and not (plain and KEPT_OF_HTTP[name]) then
      surplus[#surplus + 1] = name
    end
  end
  for _, name in ipairs(surplus) do headers:remove(name) end
  local metadata = handle:streamInfo():dynamicMetadata()
  local path = headers:get(":path") or ""
  -- The speakers' errors are documented as {"error": ...}.
  if path:match("^/api/meeting/speakers[?/]") or path == "/api/meeting/speakers" then
    metadata:set("envoy.filters.http.lua", "named_error", true)
  end
  local session = path:match("^/single%-feature%-api/live/(%x[%x-]+)/")
  if session then headers:replace(LIVE_SESSION, session:lower()) end
  -- Audio is the API's to unpack.
  local packed = (headers:get("content-encoding") or "identity"):lower()
  local upload = path:match("^/single%-feature%-api/upload")
  local length = headers:get("content-length")
  if upload and length then headers:replace(UPLOAD_LENGTH, length) end
  local audio = upload or path:match("^/single%-feature%-api/live/[^/]+/audio")
  if not audio and packed ~= "identity" and packed ~= "gzip" then
    handle:respond({[":status"] = "415"}, "content-encoding: not supported; use gzip, or send the body uncompressed")
    return
  end
  if headers:get(":method") == "HEAD" and not plain then
    metadata:set("envoy.filters.http.lua", "head", true)
    headers:replace(":method", "GET")
    headers:replace(HEAD_ONLY, "true")
  end
end

-- The error of an answer as JSON, from what the API, gRPC or the transcoder made of it.
local function error_text(text, headers, named)
  local message = text:match('^%s*{"message":(".*")}%s*$')
  -- The API states the HTTP status of each of its own errors, and they are for people already.
  if headers:get("x-http-code") == nil then
    local status = headers:get(":status")
    local said = message and status == "400" and message:match('^"Bad request: (.*)"$')
    if said then message = '"Bad request: ' .. reason(said):gsub('[%c"\\]', "") .. '"' end
    if REFUSED[status] then
      headers:replace(":status", REFUSED[status][1])
      message = '"' .. REFUSED[status][2] .. '"'
    end
    local known = REASON[headers:get(":status")]
    if known then headers:replace("x-meetra-reason", known) end
  end
  if not message then return text end
  if named then return '{"error":' .. message .. ',"message":' .. message .. '}' end
  return '{"message":' .. message .. '}'
end

-- Envoy's own errors are JSON to everybody; gRPC clients get the message alone.
local function unwrap(headers)
  local message = (headers:get("grpc-message") or ""):match('^{"message":"(.*)"}$')
  if not message then return end
  headers:replace("grpc-message", message)
  if GRPC_STATUS[message] then headers:replace("grpc-status", GRPC_STATUS[message]) end
  if message == "Unauthorized" then
    for name, value in pairs(UNAUTHENTICATED) do headers:replace(name, value) end
  end
end

function envoy_on_response(handle)
  local headers = handle:headers()
  if is_grpc(headers) then
    unwrap(headers)
    return
  end
  local metadata = handle:streamInfo():dynamicMetadata():get("envoy.filters.http.lua") or {}
  local head, named = metadata["head"], metadata["named_error"]
  local code = headers:get("x-http-code")
  local failed = tonumber(code or headers:get(":status")) >= 400
  if failed then
    local body = handle:body(true)
    -- What was taken of the headers before the body came is void.
    headers = handle:headers()
    local text = error_text(body:getBytes(0, body:length()), headers, named)
    body:setBytes(head and "" or text)
    headers:replace("content-length", tostring(#text))
  end
  if code then headers:replace(":status", code) end
  for _, name in ipairs(DROPPED) do headers:remove(name) end
  if head and not failed then
    -- An answer may be long, and its length is stated already.
    for chunk in handle:bodyChunks() do chunk:setBytes("") end
  end
end
