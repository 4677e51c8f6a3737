-- Takes away what the filter before it found to be no good token of ours, where that filter does not refuse by itself, so
-- that the API sees a call without a token and refuses it. Tokens that somebody else issued stay: the API knows whose count.
-- Session tokens are nobody else's.
function envoy_on_request(handle)
  local told = handle:streamInfo():dynamicMetadata():get("envoy.filters.http.jwt_authn")
  local refused = told and told["refused"]
  local session = (handle:headers():get("authorization") or ""):match("^Bearer ms_")
  if refused and (session or refused["message"] ~= "Jwt issuer is not configured") then
    handle:headers():remove("authorization")
  end
end
