#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The PKCS #11 module with the tools that people have: pkcs11-tool, p11tool, ssh-keygen; and its answers to calls of every kind.
# shellcheck disable=SC2016  # what is quoted is for another shell
. "$(dirname "$0")/lib.sh"
scenario pkcs11-tool pkcs11-tool p11tool ssh-keygen openssl
module=$(find "$KW_STAGE" -name keyward-pkcs11.so -print -quit)
[ -n "$module" ] || skip_all "pkcs11-tool: the module was not built: libp11-kit-dev is missing"
tee_start || not_ok "the TEE starts"

tool() { pkcs11-tool --module "$module" "$@"; }
says() { grep -qE -- "$1" "$work/out"; }
run() { "$@" >"$work/out" 2>&1; }

# --- Keys, made here and there ---

check "the module tells what it is" tool -I
check "a P-256 key is made" tool --keypairgen --key-type EC:prime256v1 --label ec --id 01
check "an RSA key is made" tool --keypairgen --key-type rsa:2048 --label "an rsa key" --id 02
check "an Ed25519 key is made" tool --keypairgen --key-type EC:edwards25519 --label ed --id 03
run keyward key list
check "the command line shows the key with its label as the name" says '^ec +ec-p256 '
check "and a key whose label is no name, by its id" says '^id:[0-9a-f]{16} +rsa-2048 '
keyward key generate from-cli --type ec-p384 --purpose sign >/dev/null
run tool -O
check "a key of the command line is there" says 'label: +from-cli'
check "with an id" says 'ID: +[0-9a-f]{40}'
check "an id changes" tool --id 03 --type privkey --set-id 0304
run tool -O --type privkey
check "and the key has it" says 'ID: +0304'

# --- Signatures that others verify ---

echo "some data" >"$work/data"
# sign ID MECHANISM [ARGUMENT…]: signature in $work/sig
sign() { tool --sign --id "$1" --mechanism "$2" --input-file "$work/data" --output-file "$work/sig" "${@:3}"; }
for id in 01 02; do
	tool --read-object --type pubkey --id $id --output-file "$work/$id.der" >/dev/null 2>&1
	openssl pkey -pubin -inform DER -in "$work/$id.der" -out "$work/$id.pem" 2>/dev/null
done
check "ECDSA-SHA256" sign 01 ECDSA-SHA256 --signature-format openssl
check "OpenSSL verifies it" openssl dgst -sha256 -verify "$work/01.pem" -signature "$work/sig" "$work/data"
check "RSA PKCS #1 with SHA-512" sign 02 SHA512-RSA-PKCS
check "OpenSSL verifies it" openssl dgst -sha512 -verify "$work/02.pem" -signature "$work/sig" "$work/data"
check "RSA-PSS with SHA-256" sign 02 SHA256-RSA-PKCS-PSS
check "OpenSSL verifies it" openssl dgst -sha256 -sigopt rsa_padding_mode:pss -verify "$work/02.pem" -signature "$work/sig" "$work/data"
check "RSA PKCS #1 over bytes that are no digest" sign 02 RSA-PKCS
openssl pkeyutl -verifyrecover -pubin -inkey "$work/02.pem" -in "$work/sig" -out "$work/recovered" 2>/dev/null
check "OpenSSL recovers them" cmp "$work/data" "$work/recovered"
check "EdDSA" sign 0304 EDDSA
openssl pkeyutl -encrypt -pubin -inkey "$work/02.pem" -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -in "$work/data" -out "$work/cipher"
check "OAEP decryption" tool --decrypt --id 02 --mechanism RSA-PKCS-OAEP --hash-algorithm SHA256 --mgf MGF1-SHA256 \
	--input-file "$work/cipher" --output-file "$work/plain"
check "gives what was encrypted" cmp "$work/data" "$work/plain"

# --- A key from outside; one that may not do everything ---

openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out "$work/own.der"
check "a key file is imported" tool --write-object "$work/own.der" --type privkey --id 05 --label imported
check "it signs" sign 05 ECDSA-SHA256 --signature-format openssl
openssl pkey -inform DER -in "$work/own.der" -pubout -out "$work/own.pem"
check "as itself" openssl dgst -sha256 -verify "$work/own.pem" -signature "$work/sig" "$work/data"
keyward key generate tls --type ec-p256 --purpose tls-server >/dev/null
run tool -O --type privkey
id=$(sed -nE '/label: +tls$/,/ID:/s/^ +ID: +//p' "$work/out")
refuse "a TLS key does not sign data" "KEY_FUNCTION_NOT_PERMITTED" sign "$id" ECDSA-SHA256
check "and is not harmed" keyward key show tls
check "a key is deleted" tool --delete-object --type privkey --id 05
run tool -O
check "and gone" sh -c '! grep -q imported "$1"' sh "$work/out"

# --- The tools' own tests ---

for test in --test --test-fork "--test-threads L"; do
	# shellcheck disable=SC2086
	check "pkcs11-tool $test" tool $test
	cp "$work/check.out" "$work/out"
	check "finds no errors" sh -c '! grep -qE "ERR|[1-9][0-9]* errors" "$1"' sh "$work/out"
done
check "pkcs11-tool --test-ec" tool --test-ec --id 77 --label test-ec --login --pin 1 --session-rw --key-type EC:prime256v1
check "p11tool lists everything" p11tool --provider "$module" --list-all
cp "$work/check.out" "$work/out"
check "with addresses that need no quoting" says 'pkcs11:model=host;manufacturer=Keyward;serial=[0-9a-f]{16};token=Keyward;id=%01;object=ec;type=private'
check "ssh-keygen lists the keys for ssh" ssh-keygen -D "$module"
cp "$work/check.out" "$work/out"
check "the RSA key is one of them" says '^ssh-rsa '

# --- Two processes at once, and the TEE restarted ---

check "calls at any time, in any state, by threads and children" "$KW_BUILD/tests/pkcs11_states" "$module"
sed 's/^not ok/# not ok/' "$work/check.out" | grep '^# not ok'
makers=()
for n in 1 2; do
	(for i in 1 2 3 4 5; do
		tool --keypairgen --key-type EC:prime256v1 --label "many-$n-$i" --id "0$n$i$i" >/dev/null 2>&1 || echo made
		tool --delete-object --type privkey --id "0$n$i$i" >/dev/null 2>&1 || echo deleted
	done) >"$work/many.$n" &
	makers+=($!)
done
wait "${makers[@]}"
check "two processes make and delete keys at once" sh -c '! test -s "$1" && ! test -s "$2"' sh "$work/many.1" "$work/many.2"
finish
