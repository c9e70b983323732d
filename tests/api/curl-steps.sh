#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Run by test-curl.sh. Each step says what it sends, which status it wants, and what must be in the answer.
n=0
failed=0
token=
body=$BAWN_HOME/body

step () { # NAME WANTED-STATUS PATTERN CURL-ARGUMENTS…
  name=$1
  wanted=$2
  pattern=$3
  shift 3
  n=$((n + 1))
  status=$(curl -s --cacert "$BAWN_CACERT" -o "$body" -w '%{http_code}' ${token:+-H "X-Vault-Token: $token"} "$@")
  if [ "$status" = "$wanted" ] && { [ "$pattern" = - ] || grep -qE "$pattern" "$body"; }; then
    echo "ok $n - $name"
  else
    failed=1
    sed 's/^/# /' "$body"
    echo "not ok $n - $name (status $status, wanted $wanted with $pattern)"
  fi
}

field () { # NAME: the first string of that name in the last answer
  sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p" "$body" | head -n 1
}

u=$BAWN_ADDR/v1
step 'health of an empty server' 501 '"initialized":false' "$u/sys/health"
step 'init' 200 '"root_token":"hvs\.' -X PUT -d '{"secret_shares":1,"secret_threshold":1}' "$u/sys/init"
root=$(field root_token)
key=$(sed -nE 's/.*"keys":\["([0-9a-f]+)"\].*/\1/p' "$body")
step 'init again is refused' 400 'Vault is already initialized' -X PUT -d '{"secret_shares":1,"secret_threshold":1}' "$u/sys/init"
step 'sealed' 503 'Vault is sealed' "$u/secret/a"
step 'unseal' 200 '"sealed":false' -X PUT -d "{\"key\":\"$key\"}" "$u/sys/unseal"
step 'health' 200 '"sealed":false' "$u/sys/health"
step 'no token' 403 'permission denied' "$u/sys/mounts"
token=$root
step 'mount kv 1' 204 - -X POST -d '{"type":"kv"}' "$u/sys/mounts/one"
step 'mount kv 2' 204 - -X POST -d '{"type":"kv","options":{"version":"2"}}' "$u/sys/mounts/two"
step 'write kv 1' 204 - -X PUT -d '{"n":1.50,"big":12345678901234567890}' "$u/one/a"
step 'kv 1 keeps its numbers' 200 '"big":12345678901234567890' "$u/one/a"
step 'and as they were written' 200 '"n":1\.50' "$u/one/a"
step 'write kv 2' 200 '"version":1' -X POST -d '{"data":{"a":"b"}}' "$u/two/data/x"
step 'a check that fails' 400 'check-and-set parameter did not match' -X POST -d '{"data":{},"options":{"cas":7}}' "$u/two/data/x"
step 'read kv 2' 200 '"data":\{"a":"b"\}' "$u/two/data/x"
step 'list by method' 200 '"keys":\["x"\]' -X LIST "$u/two/metadata"
step 'list by query' 200 '"keys":\["x"\]' "$u/two/metadata?list=true"
step 'nothing there' 404 '"errors":\[\]' "$u/one/nothing"
step 'no such mount' 404 'no handler for route' "$u/nowhere/a"
step 'policy' 204 - -X PUT -d '{"policy":"path \"one/*\" { capabilities = [\"read\"] }"}' "$u/sys/policies/acl/reader"
step 'a broken policy' 400 'failed to parse policy' -X PUT -d '{"policy":"path"}' "$u/sys/policies/acl/bad"
step 'token' 200 '"client_token":"hvs\.' -X POST -d '{"policies":["reader"],"ttl":"1h"}' "$u/auth/token/create"
limited=$(field client_token)
token=$limited
step 'which may read' 200 '"n":1\.50' "$u/one/a"
step 'and not write' 403 'permission denied' -X PUT -d '{"a":"b"}' "$u/one/a"
step 'by bearer too' 200 '"policies":\["default","reader"\]' -H "Authorization: Bearer $limited" "$u/auth/token/lookup-self"
token=$root
step 'userpass' 204 - -X POST -d '{"type":"userpass"}' "$u/sys/auth/userpass"
step 'a user' 204 - -X POST -d '{"password":"sesame","policies":"reader"}' "$u/auth/userpass/users/bob"
token=
step 'login' 200 '"username":"bob"' -X POST -d '{"password":"sesame"}' "$u/auth/userpass/login/bob"
step 'a wrong password' 400 'invalid username or password' -X POST -d '{"password":"no"}' "$u/auth/userpass/login/bob"
token=$root
step 'wrapping' 200 '"wrap_info":\{"token":"hvs' -H 'X-Vault-Wrap-TTL: 60' "$u/one/a"
wrapped=$(field token)
token=
step 'unwrapping' 200 '"big":12345678901234567890' -X POST -H "X-Vault-Token: $wrapped" "$u/sys/wrapping/unwrap"
step 'only once' 400 'wrapping token is not valid' -X POST -H "X-Vault-Token: $wrapped" "$u/sys/wrapping/unwrap"
token=$root
step 'audit' 204 - -X PUT -d "{\"type\":\"file\",\"options\":{\"file_path\":\"$BAWN_HOME/audit.log\"}}" "$u/sys/audit/file"
step 'an audited read' 200 '"n":1\.50' "$u/one/a"
n=$((n + 1))
if grep -q '"path":"one/a"' "$BAWN_HOME/audit.log"; then echo "ok $n - it was written down"; else failed=1; echo "not ok $n - it was written down"; fi
step 'metrics' 200 '^# TYPE ' "$u/sys/metrics?format=prometheus"
step 'seal' 204 - -X PUT "$u/sys/seal"
step 'sealed again' 503 '"sealed":true' "$u/sys/health"
echo "1..$n"
exit $failed
