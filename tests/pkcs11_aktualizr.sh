#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The calls of an update client of cars, through the PKCS #11 module: certificate 01, TLS key 02, Uptane key 03.
. "$(dirname "$0")/lib.sh"
scenario pkcs11-aktualizr pkcs11-tool openssl
module=$(find "$KW_STAGE" -name keyward-pkcs11.so -print -quit)
[ -n "$module" ] || skip_all "pkcs11-aktualizr: the module was not built: libp11-kit-dev is missing"
tee_start || not_ok "the TEE starts"

tool() { pkcs11-tool --module "$module" "$@"; }
replay() { "$KW_BUILD/tests/pkcs11_aktualizr" "$module" "$work/client.der" "$work/tls.pub" "$work/uptane.pub"; }

# As its provisioning does: keys and certificate are made elsewhere and written to the token.
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/tls.pem"
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/uptane.pem"
for key in tls uptane; do
	openssl pkey -in "$work/$key.pem" -outform DER -out "$work/$key.der"
	openssl pkey -in "$work/$key.pem" -pubout -outform DER -out "$work/$key.pub"
done
openssl req -x509 -key "$work/tls.pem" -subj "/CN=a vehicle" -days 30 -outform DER -out "$work/client.der"
check "the certificate is written" tool --write-object "$work/client.der" --type cert --id 01 --label cert
check "the TLS key is written" tool --write-object "$work/tls.der" --type privkey --id 02 --label tls
check "the Uptane key is written" tool --write-object "$work/uptane.der" --type privkey --id 03 --label uptane
check "and its public key" tool --write-object "$work/uptane.pub" --type pubkey --id 03 --label uptane
check "the client's calls are answered as it expects" replay
sed 's/^not ok/# not ok/' "$work/check.out" | grep '^# not ok'

# Once more with keys that were made here, and a certificate for one of them
for key in tls uptane; do tool --delete-object --type privkey --label $key >/dev/null 2>&1; done
tool --delete-object --type cert --id 01 >/dev/null 2>&1
check "the TLS key is made" tool --keypairgen --key-type EC:prime256v1 --id 02 --label tls
check "the Uptane key is made" tool --keypairgen --key-type rsa:2048 --id 03 --label uptane
for key in tls uptane; do tool --read-object --type pubkey --label $key --output-file "$work/$key.pub" >/dev/null 2>&1; done
openssl x509 -new -subj "/CN=another vehicle" -key "$work/tls.pem" -force_pubkey <(openssl pkey -pubin -inform DER -in "$work/tls.pub") \
	-days 30 -outform DER -out "$work/client.der" 2>/dev/null
check "the certificate is written" tool --write-object "$work/client.der" --type cert --id 01 --label cert
check "the client's calls are answered as it expects" replay
finish
