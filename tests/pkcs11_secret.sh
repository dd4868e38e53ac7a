#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Secret keys in the PKCS #11 module: against OpenSSL, and made and used by pkcs11-tool.
. "$(dirname "$0")/lib.sh"
scenario pkcs11-secret pkcs11-tool openssl
module=$(find "$KW_STAGE" -name keyward-pkcs11.so -print -quit)
[ -n "$module" ] || skip_all "pkcs11-secret: the module was not built: libp11-kit-dev is missing"
tee_start || not_ok "the TEE starts"

tool() { pkcs11-tool --module "$module" "$@"; }
says() { grep -qE -- "$1" "$work/out"; }
run() { "$@" >"$work/out" 2>&1; }

check "ciphers, MACs, agreement, derivation and wrapping are OpenSSL's" "$KW_BUILD/tests/pkcs11_secret" "$module"
check "also messages as long as may be, and points that look like something else" "$KW_BUILD/tests/pkcs11_edges" "$module"

check "an AES key is made" tool --keygen --key-type AES:32 --label disk --id 0a
run keyward key list
check "the command line shows it" says '^disk +aes-256 '
check "a key of the command line" keyward key generate backup --type aes-128 --purpose encrypt,decrypt
run tool -O --type secrkey
check "is there" says 'label: +backup'
echo "some data that is longer than two blocks of a cipher" >"$work/plain"
iv=000102030405060708090a0b0c0d0e0f
check "it encrypts" tool --encrypt --id 0a --mechanism AES-CBC-PAD --iv $iv --input-file "$work/plain" --output-file "$work/cipher"
check "and decrypts" tool --decrypt --id 0a --mechanism AES-CBC-PAD --iv $iv --input-file "$work/cipher" --output-file "$work/again"
check "to what it was" cmp "$work/plain" "$work/again"

# A key that is known, written by the tool
head -c 16 /dev/urandom >"$work/key"
check "an AES key is imported" tool --write-object "$work/key" --type secrkey --key-type AES:16 --label known --id 0b --usage-decrypt
check "it encrypts" tool --encrypt --id 0b --mechanism AES-CBC-PAD --iv $iv --input-file "$work/plain" --output-file "$work/cipher"
openssl enc -d -aes-128-cbc -K "$(od -An -tx1 "$work/key" | tr -d ' ')" -iv $iv -in "$work/cipher" -out "$work/again"
check "as OpenSSL does" cmp "$work/plain" "$work/again"

check "an HMAC key is made" tool --keygen --key-type GENERIC:32 --label mac --id 0c --usage-sign
check "it signs" tool --sign --id 0c --mechanism SHA256-HMAC --input-file "$work/plain" --output-file "$work/mac"
equal "32 bytes" 32 "$(stat -c %s "$work/mac")"

# ECDH, as a message's recipient does it
check "a key for agreement is made" tool --keypairgen --key-type EC:prime256v1 --label agree --id 0d --usage-derive
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/peer.pem"
openssl pkey -in "$work/peer.pem" -pubout -outform DER -out "$work/peer.der"
check "it agrees" tool --derive --id 0d --mechanism ECDH1-DERIVE --input-file "$work/peer.der" --output-file "$work/agreed"
tool --read-object --type pubkey --id 0d --output-file "$work/own.der" >/dev/null 2>&1
openssl pkey -pubin -inform DER -in "$work/own.der" -out "$work/own.pem"
openssl pkeyutl -derive -inkey "$work/peer.pem" -peerkey "$work/own.pem" -out "$work/theirs"
check "on what OpenSSL finds" cmp "$work/agreed" "$work/theirs"

check "a secret key is deleted" tool --delete-object --type secrkey --id 0a
run keyward key list
equal "and gone" "" "$(grep '^disk ' "$work/out")"
finish
