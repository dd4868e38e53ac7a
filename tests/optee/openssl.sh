#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# OpenSSL with keys in OP-TEE: the provider, by configuration and by environment, and the ENGINE; certificates and TLS.
. "${0%/*}/lib"

cat >"$work/openssl.cnf" <<END
openssl_conf = init
[init]
providers = providers
[providers]
default = default_sect
keyward = keyward_sect
[default_sect]
activate = 1
[keyward_sect]
activate = 1
tee = optee
[req]
distinguished_name = name
[name]
END
with_config() { OPENSSL_CONF="$work/openssl.cnf" openssl "$@"; }
with_environment() { KEYWARD_TEE=optee openssl dgst -provider keyward -provider default "$@"; }
with_engine() { KEYWARD_TEE=optee openssl "$@" 2>&1; }
verify() { openssl dgst "$1" -verify "$work/$2.pub" -signature "$work/signature" "$work/message"; }

echo "what is signed" >"$work/message"
openssl dgst -sha256 -binary "$work/message" >"$work/digest"
for type in ec-p256 ec-p384 rsa-2048 ed25519; do
	check "a key of type $type" keyward --tee optee key generate "openssl-$type" --type "$type" --purpose sign
	keyward --tee optee key pem "openssl-$type" -o "$work/$type.pem"
	keyward --tee optee key show "openssl-$type" --pubkey >"$work/$type.pub"
done
for type in ec-p256 ec-p384 rsa-2048; do
	check "$type: dgst -sign" with_config dgst -sha256 -sign "$work/$type.pem" -out "$work/signature" "$work/message"
	check "$type: the signature is good" verify -sha256 "$type"
	check "$type: pkeyutl signs a digest" \
		with_config pkeyutl -sign -inkey "$work/$type.pem" -in "$work/digest" -out "$work/signature" -pkeyopt digest:sha256
	check "$type: and it is good" openssl pkeyutl -verify -pubin -inkey "$work/$type.pub" -in "$work/digest" \
		-sigfile "$work/signature" -pkeyopt digest:sha256
done
check "ed25519: pkeyutl -rawin" \
	with_config pkeyutl -sign -rawin -inkey "$work/ed25519.pem" -in "$work/message" -out "$work/signature"
check "ed25519: the signature is good" openssl pkeyutl -verify -rawin -pubin -inkey "$work/ed25519.pub" -in "$work/message" \
	-sigfile "$work/signature"
check "the environment names the TEE as well" \
	with_environment -sha256 -sign "$work/ec-p256.pem" -out "$work/signature" "$work/message"
check "and the signature is good" verify -sha256 ec-p256
check "a key is found by name" \
	with_config pkeyutl -sign -inkey keyward:openssl-ec-p256 -in "$work/digest" -out "$work/signature" -pkeyopt digest:sha256
check "the ENGINE signs" with_engine pkeyutl -sign -engine keyward -keyform engine -inkey openssl-ec-p256 -in "$work/digest" \
	-out "$work/signature" -pkeyopt digest:sha256
check "and its signature is good" openssl pkeyutl -verify -pubin -inkey "$work/ec-p256.pub" -in "$work/digest" \
	-sigfile "$work/signature" -pkeyopt digest:sha256
refuse "without a setting another TEE is asked, and the error says which" "no TEE answers at .*tee.sock" \
	env -u KEYWARD_TEE openssl dgst -provider keyward -provider default -sha256 -sign "$work/ec-p256.pem" \
	-out "$work/signature" "$work/message"

oaep="-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256"
check "decryption: an RSA key" keyward --tee optee key generate openssl-decrypt --type rsa-2048 --purpose decrypt
keyward --tee optee key pem openssl-decrypt -o "$work/decrypt.pem"
keyward --tee optee key show openssl-decrypt --pubkey >"$work/decrypt.pub"
openssl pkeyutl -encrypt -pubin -inkey "$work/decrypt.pub" $oaep -in "$work/message" -out "$work/secret"
check "it decrypts" with_config pkeyutl -decrypt -inkey "$work/decrypt.pem" $oaep -in "$work/secret" \
	-out "$work/plain"
check "what was encrypted" cmp "$work/message" "$work/plain"

# A TLS server whose key is in OP-TEE, and one whose key is not there.
check "a server's key" keyward --tee optee key generate www.test.com
keyward --tee optee key pem www.test.com -o "$work/server.pem"
check "a certificate request" keyward --tee optee key csr www.test.com --subject /CN=www.test.com --san DNS:www.test.com \
	-o "$work/server.csr"
check "its signature is good" openssl req -in "$work/server.csr" -verify -noout
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" \
	-subj /CN=ca -days 2 -config "$work/openssl.cnf" -addext basicConstraints=critical,CA:TRUE 2>/dev/null
check "a certificate" openssl x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -copy_extensions copy \
	-days 1 -out "$work/server.crt"
OPENSSL_CONF="$work/openssl.cnf" openssl s_server -accept 127.0.0.1:4433 -cert "$work/server.crt" -key "$work/server.pem" -www \
	>"$work/server.out" 2>&1 &
server=$!
handshake()
{
	echo | openssl s_client -connect 127.0.0.1:4433 -servername www.test.com -verify_hostname www.test.com \
		-verify_return_error -CAfile "$work/ca.pem" "$@"
}
check "a server starts" wait_for 20 handshake
for version in -tls1_2 -tls1_3; do
	check "a client verifies its handshake, $version" handshake "$version"
done
equal "four handshakes at once" 4 "$(
	for n in 1 2 3 4; do handshake >/dev/null 2>&1 && echo "good $n" & done | wc -l
	wait
)"
refuse "its key signs nothing else" "signs TLS server handshakes only" \
	with_config dgst -sha256 -sign "$work/server.pem" -out "$work/signature" "$work/message"
check "the key is deleted" keyward --tee optee key delete www.test.com --yes
refuse "from then on the handshake fails" "alert|failure|error" handshake
check "but the server is there" kill -0 "$server"
kill "$server"
wait "$server" 2>/dev/null
for key in openssl-ec-p256 openssl-ec-p384 openssl-rsa-2048 openssl-ed25519 openssl-decrypt; do
	keyward --tee optee key delete "$key" --yes >/dev/null || not_ok "$key cannot be deleted"
done
finish
