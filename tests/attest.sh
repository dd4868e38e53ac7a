#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Attestation as people meet it: statements about keys are made, carried elsewhere and verified there without a TEE, by us
# and by openssl alone; what is wrong with one is said.
. "$(dirname "$0")/lib.sh"
scenario attest openssl python3
tee_start || {
	not_ok "the TEE starts"
	show_file "$work/tee.log"
	finish
}
cd "$work" || exit 1

# offline COMMAND…: where there is no TEE, and none is started.
offline() { KEYWARD_SOCKET=$work/nothing HOME=$work/nowhere "$@"; }
verify() { offline keyward attest verify "$@"; }
# json EXPRESSION: of the object `j` on standard input.
json() { python3 -c 'import json,sys; j = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
# exits STATUS SENTENCE PATTERN COMMAND…: fails so, says one sentence that has PATTERN, and nothing on standard output.
exits()
{
	local status=$1 what=$2 pattern=$3 found
	shift 3
	"$@" >out 2>err
	found=$?
	if [ "$found" = "$status" ] && grep -Eq -- "$pattern" err && [ "$(wc -l <err)" = 1 ] && [ ! -s out ]; then
		ok "$what"
	else
		not_ok "$what: exit status $found, not $status, or not: $pattern"
		show_file out
		show_file err
	fi
}

# --- Two devices ---

check "the device's key is written" keyward attest key -o device.pem
equal "it is Ed25519" 'ED25519 Public-Key:' "$(openssl pkey -pubin -in device.pem -noout -text | head -1)"
equal "it is the same each time" "$(cat device.pem)" "$(keyward attest key)"
tee_restart KILL
equal "and after a restart" "$(cat device.pem)" "$(keyward attest key)"
install -d -o "$tee_user" other
spawn other.log setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- "$kw_teed" \
	--store "$work/other/store" --socket "$work/other/tee.sock"
wait_for 20 keyward --socket other/tee.sock status
check "another device has another" keyward --socket other/tee.sock attest key -o other.pem
[ "$(cat device.pem)" != "$(cat other.pem)" ] && ok "which differs" || not_ok "which differs"

# --- A key that was generated ---

challenge=$(openssl rand -hex 32)
keyward key generate www.test.com --purpose tls-server,csr >/dev/null
keyward key show www.test.com --pubkey >www.pub
keyward key csr www.test.com --subject /CN=www.test.com -o www.csr
make_ca && sign_request www.csr www.crt
check "a statement is written" keyward key attest www.test.com --challenge "$challenge" -o www.cbor
check "it is verified without a TEE" verify www.cbor --device-key device.pem --challenge "$challenge" --key www.crt
verify www.cbor --device-key device.pem --challenge "$challenge" --key www.pub >page
for text in '^The statement is genuine' '^Key  *the one that was given' '^Type  *ec-p256' '^Origin  *generated inside the TEE 2' \
	'^Kept  *stored in the TEE' '^Extractable  *no' '^Purposes  *tls-server, csr$' '^TEE  *an isolated process' \
	'^Challenge  *the one that was given' '^It rests on  *the administrators'; do
	grep -q -- "$text" page && ok "the page says $text" || not_ok "the page says $text"
done
verify www.cbor --device-key device.pem --challenge "$challenge" --key www.crt --json >page.json
equal "and JSON the same" "True True True generated False ec-p256 tls-server,csr False host $challenge" "$(json "' '.join(map(str, [
	j['genuine'], j['challenge_compared'], j['key_compared'], j['key']['origin'], j['key']['sealed'], j['key']['type'],
	','.join(j['key']['purposes']), j['key']['extractable'], j['tee']['kind'], j['challenge']]))" <page.json)"
equal "with the key" "$(cat www.pub)" "$(json "j['key']['public_key']" <page.json | sed '/^$/d')"
check "without a challenge and a key of one's own" verify www.cbor --device-key device.pem
verify www.cbor --device-key device.pem | tr -s ' \n' ' ' | grep -q "not compared .*may be old: $challenge" && ok "the page then says so" || not_ok "the page then says so"
check "a generated key that stays" verify www.cbor --device-key device.pem --require generated,kept
exits 1 "OP-TEE was asked for" "NOT SO: .*isolated process" verify www.cbor --device-key device.pem --require generated,optee
check "a statement without a challenge" keyward key attest www.test.com -o plain.cbor
check "from standard input" verify - --device-key device.pem <plain.cbor
verify plain.cbor --device-key device.pem | grep -q '^Challenge  *none: the statement may be old' &&
	ok "the page says that it may be old" || not_ok "the page says that it may be old"

# --- What is not proven ---

exits 1 "another challenge" "NOT PROVEN: .*another challenge" \
	verify www.cbor --device-key device.pem --challenge "$(openssl rand -hex 32)"
exits 1 "a challenge that is longer" "NOT PROVEN: .*another challenge" \
	verify www.cbor --device-key device.pem --challenge "${challenge}00"
exits 1 "no challenge where there has to be one" "NOT PROVEN: .*without a challenge" \
	verify plain.cbor --device-key device.pem --challenge "$challenge"
exits 1 "another device" "NOT PROVEN: .*another device" verify www.cbor --device-key other.pem
keyward key generate second --purpose sign >/dev/null && keyward key show second --pubkey >second.pub
exits 1 "another key" "NOT PROVEN: .*another key" verify www.cbor --device-key device.pem --key second.pub
exits 1 "another key, for JSON" "NOT PROVEN: .*another key" verify www.cbor --device-key device.pem --key second.pub --json
exits 7 "a key that is no device's" "not the key of a device" verify www.cbor --device-key second.pub
exits 7 "a device key that is not there" "cannot read 'nothing.pem'" verify www.cbor --device-key nothing.pem
exits 7 "a device key that is no PEM" "neither a public key nor a certificate" verify www.cbor --device-key www.cbor
exits 7 "a statement that is none" "not a good attestation statement" verify device.pem --device-key device.pem
exits 7 "an empty statement" "not a good attestation statement" verify /dev/null --device-key device.pem
head -c 100 www.cbor >cut.cbor
exits 7 "one that is cut off" "not a good attestation statement" verify cut.cbor --device-key device.pem
(cat www.cbor && printf x) >long.cbor
exits 7 "one with a byte more" "not a good attestation statement" verify long.cbor --device-key device.pem
exits 2 "no device key" "give --device-key" verify www.cbor
exits 2 "a challenge that is none" "8 to 64 bytes" verify www.cbor --device-key device.pem --challenge 0011
exits 2 "one that is not hexadecimal" "8 to 64 bytes" keyward key attest www.test.com --challenge 001122334455667x -o no.cbor
exits 2 "a wrong requirement" "'good' is not a list" verify www.cbor --device-key device.pem --require good
exits 5 "no such key" "not in the TEE" keyward key attest nothing -o no.cbor
[ ! -e no.cbor ] && ok "and then no file is written" || not_ok "and then no file is written"
exits 6 "a file that is there already" "exists" keyward key attest www.test.com -o www.cbor
check "is replaced with --force" keyward key attest www.test.com -o plain.cbor --force
as nobody test -x "$work" || chmod 711 "$work"
exits 4 "somebody who may not see the key" "nobody|access list" as nobody env KEYWARD_SOCKET="$KEYWARD_SOCKET" keyward key attest www.test.com

# Every byte of it, changed: nothing of it is ever proven.
cat >change.py <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
for i in range(len(data)):
    data[i] ^= 0x41
    open("changed.%d" % i, "wb").write(data)
    data[i] ^= 0x41
print(len(data))
PY
count=$(python3 change.py www.cbor)
proven=0 crashed=0
for ((i = 0; i < count; i++)); do
	verify "changed.$i" --device-key device.pem >/dev/null 2>err
	case $? in
	0) proven=$((proven + 1)) ;;
	1 | 7) grep -Eq 'NOT PROVEN|not a good' err || crashed=$((crashed + 1)) ;;
	*) crashed=$((crashed + 1)) ;;
	esac
done
rm -f changed.*
equal "of $count statements with a changed byte none is proven" "0 0" "$proven $crashed"

# --- Other keys ---

openssl ecparam -name prime256v1 -genkey -noout -out file.key
keyward key import imported file.key --purpose sign >/dev/null 2>&1
keyward key attest imported -o imported.cbor
verify imported.cbor --device-key device.pem | grep -q '^Origin  *imported, so it was outside' &&
	ok "an imported key says that it was imported" || not_ok "an imported key says that it was imported"
exits 1 "and was not generated" "NOT SO: .*imported" verify imported.cbor --device-key device.pem --require generated
keyward key seal --type ed25519 --purpose sign -o sealed.pem >/dev/null
check "a sealed key is attested by its file" keyward key attest sealed.pem -o sealed.cbor
equal "and says so" "True ed25519" "$(verify sealed.cbor --device-key device.pem --json | json "'%s %s' % (j['key']['sealed'], j['key']['type'])")"
check "--file is the same" keyward key attest --file sealed.pem -o sealed2.cbor
refuse "another device does not attest it" "another device" keyward --socket other/tee.sock key attest sealed.pem -o no.cbor
keyward key generate secret --type aes-256 --purpose encrypt >/dev/null
keyward key attest secret -o secret.cbor
equal "a secret key has no public one" "aes-256 False False" "$(verify secret.cbor --device-key device.pem --json |
	json "'%s %s %s' % (j['key']['type'], j['key']['extractable'], 'public_key' in j['key'])")"
keyward key generate leaves --type aes-256 --purpose encrypt,extractable >/dev/null
keyward key attest leaves -o leaves.cbor
exits 1 "a key that may leave does not stay" "NOT SO: .*may leave" verify leaves.cbor --device-key device.pem --require kept
for type in rsa-2048 ec-p384 ec-p521; do
	keyward key generate "t.$type" --type "$type" --purpose sign >/dev/null
	keyward key show "t.$type" --pubkey >"$type.pub"
	keyward key attest "t.$type" >"$type.cbor"
	check "a key of $type" verify "$type.cbor" --device-key device.pem --key "$type.pub"
done

# --- Without any of our programs: CBOR by hand, the signature by openssl ---

cat >take_apart.py <<'PY'
"""Enough of RFC 8949 to take a COSE_Sign1 apart; none of it is Keyward's."""
import hashlib, json, sys

def item(b, i):
    major, info = b[i] >> 5, b[i] & 31
    i += 1
    if info < 24:
        v = info
    else:
        n = 1 << (info - 24)
        v, i = int.from_bytes(b[i:i + n], "big"), i + n
    if major == 0:
        return v, i
    if major == 1:
        return -1 - v, i
    if major == 2:
        return b[i:i + v], i + v
    if major == 3:
        return b[i:i + v].decode(), i + v
    if major == 4:
        out = []
        for _ in range(v):
            x, i = item(b, i)
            out.append(x)
        return out, i
    if major == 5:
        out = {}
        for _ in range(v):
            k, i = item(b, i)
            out[k], i = item(b, i)
        return out, i
    if major == 6:
        x, i = item(b, i)
        return (v, x), i
    return {20: False, 21: True, 22: None}[v], i

def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    if n < 256:
        return bytes([major << 5 | 24, n])
    return bytes([major << 5 | 25]) + n.to_bytes(2, "big")

def bstr(x):
    return head(2, len(x)) + x

data = open(sys.argv[1], "rb").read()
(tag, (protected, unprotected, payload, signature)), end = item(data, 0)
assert tag == 18 and end == len(data) and unprotected == {}
header, _ = item(protected, 0)
claims, _ = item(payload, 0)
open("signed", "wb").write(b"\x84" + b"\x6aSignature1" + bstr(protected) + b"\x40" + bstr(payload))
open("signature", "wb").write(signature)
key, tee = claims[-70001], claims[-70002]
assert hashlib.sha256(key["spki"]).digest() == key["id"]
open("spki.der", "wb").write(key["spki"])
print(header[1], header[4].hex(), claims[10].hex(), claims[265], claims[270], key["type"], key["origin"], key["extractable"],
      tee["kind"], "device-secret" in tee["partial"])
PY
python3 take_apart.py www.cbor >claims
device_id=$(openssl pkey -pubin -in device.pem -outform DER | sha256sum | cut -d' ' -f1)
profile=$(sed -n 's/^#define ATTESTATION_PROFILE "\(.*\)"/\1/p' "$top/wire/cose.h")
equal "another program finds the same in it" "-8 $device_id $challenge $profile keyward ec-p256 generated False host True" "$(cat claims)"
check "openssl verifies the signature" openssl pkeyutl -verify -rawin -pubin -inkey device.pem -in signed -sigfile signature
refuse "and not with the other device's key" "Verif.*[Ff]ail" \
	openssl pkeyutl -verify -rawin -pubin -inkey other.pem -in signed -sigfile signature
equal "the key in it is the key" "$(cat www.pub)" "$(openssl pkey -pubin -inform DER -in spki.der)"
grep -qF "$profile" "$top/docs/ATTESTATION.md" && ok "the document names the profile" || not_ok "the document names the profile"

# --- PKCS #11 ---

module=$(find "$KW_STAGE" -name keyward-pkcs11.so -print -quit)
if [ -n "$module" ] && [ -x "$KW_BUILD/tests/pkcs11_attest" ]; then
	equal "the PKCS #11 module gives the statement as an attribute of both objects of a key" 2 \
		"$("$KW_BUILD/tests/pkcs11_attest" "$module" second p11.cbor)"
	check "which is one" verify p11.cbor --device-key device.pem --key second.pub
	equal "and of a secret key" 1 "$("$KW_BUILD/tests/pkcs11_attest" "$module" secret p11-secret.cbor)"
	check "which is one" verify p11-secret.cbor --device-key device.pem --require generated,kept
	if command -v pkcs11-tool >/dev/null; then
		# serial SOCKET
		serial() { KEYWARD_SOCKET=$1 pkcs11-tool --module "$module" -L 2>/dev/null | sed -n 's/^ *serial num *: *//p'; }
		equal "the token's serial number is the device's" "${device_id:0:16}" "$(serial "$KEYWARD_SOCKET")"
		other_id=$(openssl pkey -pubin -in other.pem -outform DER | sha256sum | cut -d' ' -f1)
		equal "and another device's another" "${other_id:0:16}" "$(serial "$work/other/tee.sock")"
	else
		skip "pkcs11-tool is not installed"
	fi
else
	skip "the PKCS #11 module was not built"
fi

check "nothing crashed" no_crash "$work/tee.log"
finish
