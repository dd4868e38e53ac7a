#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Certificates, data and public keys on the token of the PKCS #11 module, with pkcs11-tool and p11tool.
# shellcheck disable=SC2016  # what is quoted is for another shell
. "$(dirname "$0")/lib.sh"
scenario pkcs11-certificates pkcs11-tool p11tool openssl
module=$(find "$KW_STAGE" -name keyward-pkcs11.so -print -quit)
[ -n "$module" ] || skip_all "pkcs11-certificates: the module was not built: libp11-kit-dev is missing"
other=nobody
creator=()
[ "$(id -u)" != 0 ] || creator=(--creator "user:$other")
tee_start "${creator[@]}" || not_ok "the TEE starts"

tool() { pkcs11-tool --module "$module" "$@"; }
says() { grep -qE -- "$1" "$work/out"; }
run() { "$@" >"$work/out" 2>&1; }
is_gone() { ! grep -qE -- "$1" "$work/out"; }

# certificate NAME SUBJECT: a certificate of a new key, in DER, and its key
certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -subj "$2" -days 30 \
		-outform DER -out "$work/$1.der" 2>/dev/null
}

# --- A certificate ---

certificate one "/O=Some Company/CN=one.example"
check "a certificate is stored" tool --write-object "$work/one.der" --type cert --id 01 --label "the first"
run tool -O --type cert
check "another process sees it" says 'label: +the first'
check "with what the certificate says" says 'subject: +DN: O=Some Company, CN=one.example'
check "under a one-byte id" says 'ID: +01$'
check "it is read" tool --read-object --type cert --id 01 --output-file "$work/read.der"
check "as it was written" cmp "$work/one.der" "$work/read.der"
run p11tool --provider "$module" --list-all-certs
check "p11tool lists it" says 'URL:.*object=the%20first;type=cert'
check "with the date until which it is valid" says 'Expires: '
url=$(sed -n 's/^.*URL: //p' "$work/out" | head -1)
check "p11tool exports it by its address" p11tool --provider "$module" --export "$url" --outfile "$work/export.pem"
openssl x509 -in "$work/export.pem" -outform DER -out "$work/export.der" 2>/dev/null
check "whole" cmp "$work/one.der" "$work/export.der"
check "the command line counts it" sh -c 'keyward status --json | grep -qE "\"objects\": *1\b"'
certificate two "/CN=two.example"
check "p11tool stores one" p11tool --provider "$module" --login --set-pin=1 --write --load-certificate /dev/stdin --label two --id 0203 \
	"pkcs11:token=Keyward" < <(openssl x509 -inform DER -in "$work/two.der")
run tool -O --type cert
check "pkcs11-tool sees it" says 'label: +two$'
check "a certificate with a space of its own is not found under another's id" sh -c '
	pkcs11-tool --module "$1" --read-object --type cert --id 0203 --output-file "$2" >/dev/null 2>&1 && cmp -s "$2" "$3"' \
	sh "$module" "$work/read.der" "$work/two.der"

# --- Its key ---

check "a key is made" tool --keypairgen --key-type EC:prime256v1 --label mine --id 0a
tool --read-object --type pubkey --id 0a --output-file "$work/mine.pub" >/dev/null 2>&1
openssl x509 -new -subj /CN=mine -CAkey "$work/one.key" -CA <(openssl x509 -inform DER -in "$work/one.der") \
	-force_pubkey <(openssl pkey -pubin -inform DER -in "$work/mine.pub") -days 30 -outform DER -out "$work/mine.der" 2>/dev/null
check "its certificate is stored without an id" tool --write-object "$work/mine.der" --type cert --label "mine too"
run tool -O --type cert --id 0a
check "and found by the key's" says 'label: +mine too'
openssl x509 -new -subj /CN=later -CAkey "$work/one.key" -CA <(openssl x509 -inform DER -in "$work/one.der") \
	-force_pubkey <(openssl pkey -in "$work/two.key" -pubout) -days 30 -outform DER -out "$work/later.der" 2>/dev/null
check "a certificate comes before its key" tool --write-object "$work/later.der" --type cert --label later
openssl pkey -in "$work/two.key" -outform DER -out "$work/two.key.der"
check "which has no id either" tool --write-object "$work/two.key.der" --type privkey --label "the later key"
run tool -O --type privkey
id=$(sed -nE '/label: +the later key$/,/ID:/s/^ +ID: +//p' "$work/out")
run tool -O --type cert --id "${id:-none}"
check "and still they have the same" says 'label: +later'

# --- Changes ---

check "an id changes" tool --type cert --id 01 --set-id 0405
run tool -O --type cert
check "and the certificate has it" says 'ID: +0405$'
check "and no other has the old one" sh -c '! grep -qE "ID: +01$" "$1"' sh "$work/out"
check "a certificate is deleted" tool --delete-object --type cert --id 0405
run tool -O
check "and gone" is_gone 'the first'

# --- What is refused ---

head -c 100 "$work/one.der" >"$work/short.der"
refuse "half a certificate is none" '.' tool --write-object "$work/short.der" --type cert --label bad
run tool -O
check "nothing of that was stored" is_gone 'label: +bad'

# --- Data ---

head -c 5000 /dev/urandom >"$work/data"
check "as much data as the tool takes is stored" tool --write-object "$work/data" --type data --label settings \
	--application-label "some program" --application-id 1.3.6.1.4.1.99999
run tool -O --type data
check "another process sees it" says "application: +'some program'"
check "with its object identifier" says 'app_id: +1\.3\.6\.1\.4\.1\.99999'
check "it is read" tool --read-object --type data --label settings --output-file "$work/read"
check "as it was written" cmp "$work/data" "$work/read"
check "data is deleted" tool --delete-object --type data --label settings
run tool -O --type data
check "and gone" is_gone settings

# --- Public keys alone ---

n=0
for args in "EC -pkeyopt ec_paramgen_curve:P-256" "RSA -pkeyopt rsa_keygen_bits:3072"; do
	n=$((n + 1))
	# shellcheck disable=SC2086
	openssl genpkey -quiet -algorithm $args -outform DER -out "$work/alone.key"
	openssl pkey -inform DER -in "$work/alone.key" -pubout -outform DER -out "$work/alone.pub"
	check "a public key (${args%% *}) is stored" tool --write-object "$work/alone.pub" --type pubkey --id "0b0$n" --label "alone $n"
	run tool -O --type pubkey --id "0b0$n"
	check "another process sees it" says "label: +alone $n"
	check "it is read" tool --read-object --type pubkey --id "0b0$n" --output-file "$work/read"
	check "as it was written" cmp "$work/alone.pub" "$work/read"
	echo "some data" >"$work/signed"
	case $args in
	EC*) openssl dgst -sha256 -binary "$work/signed" >"$work/hash"
		openssl pkeyutl -sign -keyform DER -inkey "$work/alone.key" -in "$work/hash" -out "$work/sig"
		verify=(--mechanism ECDSA --signature-format openssl --input-file "$work/hash") ;;
	*) openssl dgst -sha256 -keyform DER -sign "$work/alone.key" -out "$work/sig" "$work/signed"
		verify=(--mechanism SHA256-RSA-PKCS --input-file "$work/signed") ;;
	esac
	run tool --verify --id "0b0$n" "${verify[@]}" --signature-file "$work/sig"
	check "it verifies" says 'Signature is valid'
	check "its label changes" tool --type pubkey --id "0b0$n" --set-id "0c0$n"
	check "it is deleted" tool --delete-object --type pubkey --id "0c0$n"
	run tool -O --type pubkey
	check "and gone" is_gone "alone $n"
done

# --- Templates, changes, lifetimes and processes ---

check "templates of every kind, changes, ends, other processes" "$KW_BUILD/tests/pkcs11_objects" "$module" "$work/one.der" "$work/two.der"
sed 's/^not ok/# not ok/' "$work/check.out" | grep '^# not ok'

# --- Another user ---

if [ "$(id -u)" != 0 ]; then
	skip "another user: needs root"
	finish
fi
as_other() { setpriv --reuid "$other" --regid "$(id -g "$other")" --clear-groups -- "$@"; }
run as_other pkcs11-tool --module "$module" -O
check "another user sees none of that" is_gone 'two|later|mine'
keyward key allow mine "user:$other" >/dev/null 2>&1 || not_ok "the key is shared"
check "the certificate of a key that he may use" tool --write-object "$work/mine.der" --type cert --label shared
run as_other pkcs11-tool --module "$module" -O --type cert
check "he sees" says 'label: +shared'
check "and reads" as_other pkcs11-tool --module "$module" --read-object --type cert --label shared --output-file /dev/null
refuse "but may not delete" '0x1b|ACTION_PROHIBITED' as_other pkcs11-tool --module "$module" --delete-object --type cert --label shared
certificate theirs /CN=planted
chmod a+rx "$work" && chmod a+r "$work/theirs.der" "$work/one.der"
check "he stores a certificate that everybody may read" as_other "$KW_BUILD/tests/object_put" "$work/theirs.der"
run as_other pkcs11-tool --module "$module" -O --type cert
check "it is his" says 'CN=planted'
run tool -O --type cert
check "and on nobody else's token" is_gone 'CN=planted'
check "the administrator does the same" "$KW_BUILD/tests/object_put" "$work/one.der"
run as_other pkcs11-tool --module "$module" -O --type cert
check "that is on everybody's" says 'CN=one.example'
id=$(openssl x509 -inform DER -in "$work/one.der" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -c1-40)
check "under the id that its key has" says "ID: +$id"
finish
