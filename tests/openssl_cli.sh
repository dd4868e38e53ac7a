#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The openssl command with keys in the TEE, by key file, by URI and by ENGINE; and with keys that are none of ours.
. "$(dirname "$0")/lib.sh"
scenario openssl-cli openssl
make_ca
tee_start || {
	not_ok "the TEE starts"
	show_file "$work/tee.log"
	finish
}
cd "$work" || exit 1
plain=$OPENSSL_CONF
openssl req -new -key ca.key -subj /CN=somebody -out somebody.csr
head -c 3000 /dev/urandom >message
head -c 200000 /dev/urandom >long

# ours COMMAND…: with the provider. Everything else here is verified without it.
ours() { OPENSSL_CONF=$kw_conf "$@"; }
# The command says nothing itself when OpenSSL will not write a key.
fails() { ! "$@"; }
same_public() { [ -s "$1" ] && cmp "$1" "$2"; }

for type in rsa-2048 ec-p256 ec-p384 ec-p521 ed25519; do
	keyward key generate "$type" --type "$type" --purpose sign >/dev/null && keyward key pem "$type" -o "$type.key" >/dev/null ||
		not_ok "a $type key is made"
	digest=(-sha256)
	[ "$type" != ed25519 ] || digest=()
	check "$type: its public key by file" ours openssl pkey -in "$type.key" -pubout -out "$type.pub"
	check "$type: its public key by URI" ours openssl pkey -in "keyward:$type" -pubout -out "$type.uri.pub"
	check "$type: both are the same" same_public "$type.pub" "$type.uri.pub"
	check "$type: OpenSSL without Keyward reads it" openssl pkey -pubin -in "$type.pub" -noout
	check "$type: check of the key" ours openssl pkey -in "$type.key" -check -noout
	check "$type: storeutl" ours openssl storeutl -noout "keyward:$type"
	check "$type: a request" ours openssl req -new -key "$type.key" "${digest[@]}" -subj "/CN=$type" -out "$type.csr"
	check "$type: the request verifies" openssl req -in "$type.csr" -verify -noout
	check "$type: a certificate of its own, by URI" \
		ours openssl req -x509 -new -key "keyward:$type" "${digest[@]}" -subj "/CN=$type" -days 2 -out "$type.pem"
	check "$type: the certificate verifies" openssl verify -CAfile "$type.pem" "$type.pem"
	check "$type: a certificate for somebody else" \
		ours openssl x509 -req -in somebody.csr -CA "$type.pem" -CAkey "$type.key" "${digest[@]}" -set_serial 7 -days 2 -out issued.pem
	check "$type: it verifies" openssl verify -partial_chain -CAfile "$type.pem" issued.pem
	check "$type: a message as it is" \
		ours openssl pkeyutl -sign -rawin ${digest[0]:+-digest sha256} -inkey "$type.key" -in message -out sig
	check "$type: it verifies" \
		openssl pkeyutl -verify -rawin ${digest[0]:+-digest sha256} -pubin -inkey "$type.pub" -in message -sigfile sig
	if [ "$type" != ed25519 ]; then # OpenSSL 3.0 has no dgst and no CMS with Ed25519
		for file in message long; do
			check "$type: dgst of a $file" ours openssl dgst -sha384 -sign "keyward:$type" -out sig "$file"
			check "$type: it verifies" openssl dgst -sha384 -verify "$type.pub" -signature sig "$file"
		done
		check "$type: CMS" ours openssl cms -sign -binary -in message -signer "$type.pem" -inkey "$type.key" -out cms
		check "$type: it verifies" openssl cms -verify -binary -in cms -CAfile "$type.pem" -purpose any -out out
		check "$type: with what was signed" cmp message out
	fi
	check "$type: nothing exports the private key" fails ours openssl pkey -in "$type.key" -out stolen
	check "$type: not as text" fails ours openssl pkey -in "$type.key" -text -noout
	check "$type: not as PKCS #8" fails ours openssl pkcs8 -topk8 -nocrypt -in "$type.key" -out stolen
	check "$type: nothing was written" test ! -s stolen

	# The ENGINE needs no configuration.
	engine=(-engine keyward -keyform engine)
	check "$type: a request by ENGINE" \
		env OPENSSL_ENGINES="$kw_engines" openssl req -new "${engine[@]}" -key "$type" "${digest[@]}" -subj "/CN=$type" -out engine.csr
	check "$type: it verifies" openssl req -in engine.csr -verify -noout
done

check "RSA-PSS" ours openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -sign rsa-2048.key -out sig message
check "it verifies" openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -verify rsa-2048.pub -signature sig message
check "a certificate with RSA-PSS" ours openssl req -x509 -new -key rsa-2048.key -sha256 -sigopt rsa_padding_mode:pss -subj /CN=pss -out pss.pem
check "it verifies" openssl verify -CAfile pss.pem pss.pem
refuse "SHA-1 is not signed" 'SHA-224, SHA-256, SHA-384 and SHA-512' ours openssl dgst -sha1 -sign rsa-2048.key -out sig message

# Decryption, by the key that may.
keyward key generate box --type rsa-2048 --purpose decrypt >/dev/null && keyward key pem box -o box.key >/dev/null
ours openssl pkey -in box.key -pubout -out box.pub
head -c 40 /dev/urandom >secret
oaep=(-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256)
openssl pkeyutl -encrypt -pubin -inkey box.pub "${oaep[@]}" -in secret -out boxed
check "decryption" ours openssl pkeyutl -decrypt -inkey box.key "${oaep[@]}" -in boxed -out opened
check "of what was encrypted" cmp secret opened
check "encryption with the key file" ours openssl pkeyutl -encrypt -inkey box.key "${oaep[@]}" -in secret -out boxed
check "which it decrypts" ours openssl pkeyutl -decrypt -inkey keyward:box "${oaep[@]}" -in boxed -out opened
check "to the same" cmp secret opened
refuse "a key to sign with does not decrypt" 'purpose' ours openssl pkeyutl -decrypt -inkey rsa-2048.key "${oaep[@]}" -in boxed -out opened
refuse "a key to decrypt with does not sign" 'purpose' ours openssl dgst -sha256 -sign box.key -out sig message

# A login to a server, with a key for that.
keyward key generate login --purpose tls-client,csr >/dev/null && keyward key pem login -o login.key >/dev/null &&
	keyward key csr login --subject /CN=login -o login.csr >/dev/null && sign_request login.csr login.pem
file_key server.test ec-p256
read -r port <<<"$(free_ports 1)"
# The server's page shows that the client signed, its log as whom.
login()
{
	printf 'GET / HTTP/1.0\r\n\r\n' | OPENSSL_CONF=$kw_conf timeout 20 openssl s_client -quiet -connect "127.0.0.1:$port" \
		-cert login.pem -key login.key "-tls$1" -CAfile ca.pem -verify_return_error >page
	grep -q 'Peer signature type: ECDSA' page && grep -q 'depth=0 CN = login' server.log
}
for version in 1_2 1_3; do
	: >server.log
	spawn "$work/server.log" openssl s_server -accept "127.0.0.1:$port" -cert server.test.file.pem -key server.test.file.key \
		-CAfile ca.pem -Verify 2 -verify_return_error "-tls$version" -www
	server=$spawned
	wait_for_port "$port"
	check "a login by TLS ${version/_/.}" login "$version"
	stop_process "$server" KILL
done

# What goes wrong says why.
refuse "a name that no key has" "the key 'nobody' is not in the TEE" ours openssl pkey -in keyward:nobody -pubout
sed 's/^MI/XX/' ec-p256.key >bad.key
refuse "a damaged key file" 'not a good Keyward key file' ours openssl pkey -in bad.key -pubout
check "without the provider a key file is no key" fails openssl pkey -in ec-p256.key -pubout

# Keys that are none of ours, with the provider there.
for type in rsa-2048 ec-p384 ed25519; do
	file_key "own-$type" "$type"
	check "an ordinary $type key loads and signs" ours openssl req -x509 -new -key "own-$type.file.key" -subj /CN=own -out own.pem
	check "its certificate verifies" openssl verify -CAfile own.pem own.pem
	openssl pkcs8 -topk8 -in "own-$type.file.key" -passout pass:secret -out own.enc
	check "so does an encrypted one" ours openssl req -x509 -new -key own.enc -passin pass:secret -subj /CN=own -out own.pem
	check "and keys can be made" ours openssl genpkey -algorithm ED25519 -out own.new
done

# A TEE that is away: key files load, nothing signs, and all is well when it is back.
tee_stop
check "a key file loads without a TEE" ours openssl pkey -in ec-p256.key -pubout -out again.pub
check "and is the same key" same_public again.pub ec-p256.pub
refuse "but it signs nothing" 'no TEE answers' ours openssl dgst -sha256 -sign ec-p256.key -out sig message
tee_start
check "until the TEE is back" ours openssl dgst -sha256 -sign ec-p256.key -out sig message
equal "nothing here changed the plain configuration" "$plain" "$OPENSSL_CONF"
finish
