#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every command of keyward(1) with keys in OP-TEE.
. "${0%/*}/lib"

k="keyward --tee optee"
field() { sed -n "s/.*\"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" | head -n 1; }
count() { $k status --json | field keys; }

# --- status ---
$k status >"$work/status"
$k status --json >"$work/status.json"
equal "status names the TEE" 1 "$(grep -c '^TEE  *optee: ' "$work/status")"
check "and OP-TEE's version" grep -q '^Version .* in OP-TEE .*4\.' "$work/status"
check "where the keys are stored" grep -q '^Storage .*tee-supplicant' "$work/status"
check "how much secure memory is used" grep -qE '^Memory  *[0-9]+ [KM]iB in use, of [0-9]+ [KM]iB' "$work/status"
equal "it begins with a warning, for this board has no key of its own" "*** WARNING: THESE KEYS ARE NOT SECRET ***" \
	"$(head -n 1 "$work/status")"
check "which says why" grep -q 'HARDWARE UNIQUE KEY IS ZERO' "$work/status"
check "that old storage is taken for new" grep -q 'rollback  *missing' "$work/status"
check "nothing of the host TEE is there" sh -c '! grep -q Socket "$0"' "$work/status"
equal "JSON: the TEE" optee "$(field tee <"$work/status.json")"
check "JSON: the warning" grep -q '"warning": "THE HARDWARE UNIQUE KEY' "$work/status.json"
check "JSON: memory" test "$(field memory <"$work/status.json")" -gt 0
check "the environment chooses the TEE as well" env KEYWARD_TEE=optee keyward status
refuse "but --socket means the host TEE" "no TEE answers at /tmp/none" env KEYWARD_TEE=optee keyward --socket /tmp/none status
refuse "and OP-TEE has none" "OP-TEE has no socket" $k --socket /tmp/none status
refuse "without a setting the host TEE is asked" "keyward-teed" keyward status
check "and no TEE is started" sh -c '! pidof keyward-teed'
stored=$(count)

# --- keys ---
for type in ec-p256 ec-p384 ec-p521 ed25519 rsa-2048; do
	check "generate $type" $k key generate "cli-$type" --type "$type" --purpose sign,csr
	check "csr $type" $k key csr "cli-$type" --subject /CN=cli -o "$work/$type.csr"
	check "its signature is good" openssl req -in "$work/$type.csr" -verify -noout
done
$k key generate cli-hint >"$work/hint"
check "hints name the TEE" grep -q 'keyward --tee optee key csr cli-hint' "$work/hint"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/plain.pem" 2>/dev/null
openssl pkey -in "$work/plain.pem" -pubout -out "$work/plain.pub"
check "import" $k key import cli-imported "$work/plain.pem"
check "its public key is the file's" sh -c 'keyward --tee optee key show cli-imported --pubkey | cmp - "$0"' "$work/plain.pub"
refuse "the same key again" "stored already" $k key import cli-again "$work/plain.pem"
refuse "another of the name" "already" $k key generate cli-imported
refuse "what is no key" "cannot use" $k key import cli-junk "$work/plain.pub"
equal "list" "cli-ec-p256 cli-ec-p384 cli-ec-p521 cli-ed25519 cli-hint cli-imported cli-rsa-2048" \
	"$($k key list --names | grep '^cli-' | sort | xargs)"
equal "they are counted" $((stored + 7)) "$(count)"
check "show" sh -c 'keyward --tee optee key show cli-imported | grep -q "^Owner  *user:root"'
check "rename" $k key rename cli-hint cli-renamed
refuse "the old name is gone" "is not in OP-TEE; see: keyward --tee optee key list" $k key show cli-hint
check "a name is taken over" $k key rename cli-renamed cli-imported --take
equal "and the key that had it has none" 1 "$($k key list | grep -c '^id:')"
check "allow" $k key allow cli-imported user:alice user:33
equal "both are on the list" "user:alice user:www-data" \
	"$($k key show cli-imported --json | grep -oE '"user:(alice|www-data)"' | tr -d '"' | xargs)"
check "deny" $k key deny cli-imported user:alice
equal "one is left" 1 "$($k key show cli-imported --json | grep -cE '"user:(alice|www-data)"')"
check "pem" $k key pem cli-imported -o "$work/cli.pem"
check "which is a key file" grep -q 'BEGIN KEYWARD PRIVATE KEY' "$work/cli.pem"
check "by id" $k key show "$($k key show cli-imported --json | field id)"
check "seal a file's key" $k key seal "$work/plain.pem" --purpose sign -o "$work/sealed.pem"
check "show what is sealed" sh -c 'keyward --tee optee key show --file "$0" | grep -q "^Kept  *sealed"' "$work/sealed.pem"
check "allow on it" $k key allow --file "$work/sealed.pem" user:alice
check "seal a new one" $k key seal --type ed25519 -o "$work/sealed2.pem"
sed 's/^M...../MAAAAA/' "$work/sealed.pem" >"$work/broken.pem"
refuse "a file that was changed" "." $k key show --file "$work/broken.pem"
equal "sealing stores nothing" $((stored + 7)) "$(count)"
check "bench" $k bench --seconds 1
equal "and leaves nothing" $((stored + 7)) "$(count)"
refuse "delete what is not there" "is not in OP-TEE" $k key delete cli-none --yes
id=$($k key list --json | grep -B1 '"id"' | grep -A1 '"name": ""' | field id)
check "delete by id" $k key delete "$id" --yes
for name in $($k key list --names | grep '^cli-'); do
	check "delete $name" $k key delete "$name" --yes
done
equal "nothing is left" "$stored" "$(count)"
for command in status "key list" "key generate" bench; do
	check "$command --help" $k $command --help
done
finish
