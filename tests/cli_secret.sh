#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Secret keys and those for agreement on the command line: made, imported from their bytes, shown; and what they are not.
. "$(dirname "$0")/lib.sh"
scenario cli-secret python3 openssl
PATH=$KW_BUILD/cli:$PATH
cd "$work" || exit 1
tee_start || not_ok "the TEE starts"

json() { python3 -c 'import json,sys; j=json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
field() { keyward key show "$1" --json | json "$2"; }
# line NAME LABEL: what key show says there.
line() { keyward key show "$1" | sed -n "s/^$2  *//p"; }
# wrong WHAT STATUS PATTERN COMMAND…
wrong()
{
	local what=$1 status=$2 pattern=$3 out
	shift 3
	out=$("$@" 2>&1)
	equal "$what ends with $status" "$status" $?
	grep -q -e "$pattern" <<<"$out" && ok "$what: the message says so" || not_ok "$what: the message says so: $out"
}

# --- generate and show ---

while read -r type purposes bytes; do
	check "generate --type $type" keyward key generate "g.$type" --type "$type" --purpose "$purposes"
	equal "$type: type and purposes" "$type $purposes" "$(field "g.$type" "j['type'] + ' ' + ','.join(j['purposes'])")"
	equal "$type: how long it is" "$bytes" "$(field "g.$type" "j.get('bytes', 0)")"
	equal "$type does not leave" "False no" "$(field "g.$type" "j['extractable']") $(line "g.$type" 'May leave')"
done <<END
aes-128 decrypt,encrypt 16
aes-192 decrypt,encrypt 24
aes-256 wrap,unwrap 32
hmac mac 32
x25519 derive 0
END
equal "a secret key's length is shown" "32 bytes, secret" "$(line g.hmac Length)"
equal "and how often it was used" "0" "$(line g.aes-128 Uses)"
equal "a list has them" "aes-128 decrypt,encrypt" \
	"$(keyward key list | awk '$1 == "g.aes-128" { print $2, $3 }')"
check "--purpose may be repeated" keyward key generate both --type aes-256 --purpose encrypt --purpose decrypt
equal "and adds up" "decrypt encrypt" "$(field both "' '.join(j['purposes'])")"
keyward key generate leaves --purpose sign,extractable >/dev/null
equal "a private key that may leave" "True yes, wrapped by any key with the purpose wrap" \
	"$(field leaves "j['extractable']") $(line leaves 'May leave')"
keyward key generate trusts --type hmac --purpose mac,extractable,wrap-with-trusted >/dev/null
equal "one that asks for a trusted key" "yes, wrapped by a trusted key" "$(line trusts 'May leave')"

# --- what they are not ---

for type in aes-256 hmac x25519; do
	wrong "$type for nothing in particular" 2 "$type cannot sign.*--purpose" keyward key generate x --type "$type"
done
wrong "an AES key that signs" 2 "aes-256 cannot sign" keyward key generate x --type aes-256 --purpose sign
wrong "an AES key that derives" 2 "aes-256 cannot have the purposes derive" keyward key generate x --type aes-256 --purpose derive
wrong "an EC key that is no more than wrapped by trusted ones" 2 "cannot have the purposes wrap-with-trusted" \
	keyward key generate x --purpose wrap-with-trusted
wrong "a key that wraps and decrypts" 2 "undermine each other.*mixed" keyward key generate x --type aes-256 --purpose wrap,decrypt
wrong "the public key of a secret key" 2 "secret key (aes-256).*no public key" keyward key show both --pubkey
wrong "a server's file of a secret key" 2 "'both' is a secret key (aes-256)" keyward key pem both
wrong "a request of a secret key" 4 "purposes" keyward key csr both --subject /CN=x

# --- import ---

head -c 32 /dev/urandom >raw
check "import of 32 bytes" keyward key import i.aes raw --type aes-256 --purpose encrypt,decrypt
equal "is a key of them" "aes-256 imported 32" "$(field i.aes "j['type'] + ' ' + j['origin'] + ' ' + str(j['bytes'])")"
keyward key import i.advice raw --type aes-256 --purpose encrypt | grep -q 'shred -u raw' && ok "import says how to delete the file" ||
	not_ok "import says how to delete the file"
check "import from standard input" keyward key import i.hmac - --type hmac --purpose mac < <(printf Jefe)
equal "is as long as that" 4 "$(field i.hmac "j['bytes']")"
wrong "a key and a line end" 7 "33 bytes, and a key of type aes-256 has 32" \
	keyward key import x <(cat raw; echo) --type aes-256 --purpose encrypt
wrong "a key in hex" 7 "64 bytes.*not in hex" keyward key import x <(xxd -p -c 64 raw | tr -d '\n') --type aes-256 --purpose encrypt
wrong "too long a key" 7 "129 bytes.*hmac has 1 to 128" keyward key import x <(head -c 129 /dev/zero) --type hmac --purpose mac
wrong "an empty file" 7 "0 bytes" keyward key import x /dev/null --type hmac --purpose mac
wrong "raw bytes of no type" 7 "not a private key" keyward key import x raw --purpose encrypt
openssl genpkey -algorithm X25519 -out x25519.pem
check "import of an X25519 key" keyward key import i.x25519 x25519.pem --purpose derive
equal "has the file's public key" "$(openssl pkey -in x25519.pem -pubout)" "$(keyward key show i.x25519 --pubkey)"
wrong "an X25519 key to sign with" 2 "x25519 cannot sign.*derive" keyward key import x x25519.pem
wrong "a file of another type" 7 "of type x25519, not ec-p256" keyward key import x x25519.pem --type ec-p256 --purpose derive
check "no key of a wrong request is left" test -z "$(keyward key list | awk '$1 == "x"')"
wrong "a sealed file of a secret key" 2 "aes-256 is none.*key generate" \
	keyward key seal --type aes-256 --purpose encrypt,decrypt -o sealed.pem
check "is not made" test ! -e sealed.pem
tee_stop
finish
