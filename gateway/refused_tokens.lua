-- Refuses what the filter before it found no good token of ours, unless somebody else issued it: the API knows whose count.
-- The filter tells only where tokens of others may count; else it refuses by itself.
function envoy_on_request(handle)
  local told = handle:streamInfo():dynamicMetadata():get("envoy.filters.http.jwt_authn")
  local refused = told and told["refused"]
  if refused and refused["message"] ~= "Jwt issuer is not configured" then
    handle:respond({[":status"] = "401"}, "")
  end
end
