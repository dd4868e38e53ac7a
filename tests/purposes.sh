#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What somebody who has taken over a web server can do with its key: TLS server handshakes, and nothing else. All of it
# is tried as the server's own user, who is on the key's access list.
. "$(dirname "$0")/lib.sh"
scenario purposes openssl setpriv python3
make_ca
tee_start || {
	not_ok "the TEE starts"
	show_file "$work/tee.log"
	finish
}
mkdir "$work/thief"
chown www-data "$work/thief"
thief() { OPENSSL_CONF=$kw_conf as www-data "$@"; }
show_field() { keyward key show "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"; }

for type in ec-p256 rsa-2048 ed25519; do
	key=$type.test
	# The request for its certificate is built and signed in the TEE: that is all that the purpose csr allows.
	server_key "$key" "$type" www-data tls-server,csr || not_ok "a $type key with a certificate"
	file=$work/$key.key
	digest=(-digest sha256)
	[ "$type" != ed25519 ] || digest=()
	head -c 32 /dev/urandom >"$work/thief/digest"
	head -c 500 /dev/urandom >"$work/thief/message"
	refused=$(show_field "$key" refusals)
	signed=$(show_field "$key" signatures)
	pattern='TLS (server )?handshake|purpose'

	refuse "$type: a certificate of its own" "$pattern" \
		thief openssl req -x509 -new -key "$file" -subj /CN=evil -days 1 -out "$work/thief/cert.pem"
	openssl req -new -key "$work/ca.key" -subj /CN=evil -out "$work/thief/evil.csr"
	refuse "$type: a certificate for another key" "$pattern" \
		thief openssl x509 -req -in "$work/thief/evil.csr" -CA "$work/$key.pem" -CAkey "$file" -set_serial 1 -out "$work/thief/cert.pem"
	if [ "$type" != ed25519 ]; then # OpenSSL 3.0 has no CMS with Ed25519
		refuse "$type: a CMS message" "$pattern" \
			thief openssl cms -sign -in "$work/thief/message" -signer "$work/$key.pem" -inkey "$file" -out "$work/thief/cms"
		refuse "$type: a bare digest" "$pattern" \
			thief openssl pkeyutl -sign -inkey "$file" -in "$work/thief/digest" -pkeyopt digest:sha256 -out "$work/thief/sig"
		refuse "$type: a file" "$pattern" \
			thief openssl dgst -sha256 -sign "$file" -out "$work/thief/sig" "$work/thief/message"
	fi
	refuse "$type: a message as it is" "$pattern" \
		thief openssl pkeyutl -sign -rawin "${digest[@]}" -inkey "$file" -in "$work/thief/message" -out "$work/thief/sig"
	if [ "$type" = rsa-2048 ]; then
		openssl pkeyutl -encrypt -certin -inkey "$work/$key.pem" -in "$work/thief/digest" -out "$work/thief/secret"
		refuse "$type: decryption" "$pattern" \
			thief openssl pkeyutl -decrypt -inkey "$file" -in "$work/thief/secret" -out "$work/thief/plain"
	fi

	# A login as a TLS client with the server's key: an ordinary server asks for a certificate.
	read -r port <<<"$(free_ports 1)"
	file_key peer.test ec-p256
	for version in 1_3 1_2; do
		spawn "$work/server-$type-$version" openssl s_server -accept "127.0.0.1:$port" -cert "$work/peer.test.file.pem" \
			-key "$work/peer.test.file.key" -CAfile "$work/ca.pem" -Verify 2 "-tls$version" -www
		server=$spawned
		wait_for_port "$port"
		refuse "$type: a login as a TLS ${version/_/.} client" "$pattern" \
			thief timeout 20 openssl s_client -connect "127.0.0.1:$port" -cert "$work/$key.pem" -key "$file" "-tls$version"
		stop_process "$server" KILL
	done

	now=$(show_field "$key" refusals)
	check "$type: the refusals are counted and shown ($refused, then $now)" test "$now" -ge "$((refused + 5))"
	equal "$type: and no signature was made" "$signed" "$(show_field "$key" signatures)"
	check "$type: nothing that was asked for was written" \
		sh -c '! find "$1" \( -name cert.pem -o -name sig -o -name plain \) -size +0 | grep .' sh "$work/thief"
	if [ -f "$work/thief/cms" ]; then # openssl writes the text before it signs
		refuse "$type: and what there is of a CMS message does not verify" "" \
			openssl cms -verify -in "$work/thief/cms" -CAfile "$work/ca.pem" -out /dev/null
	fi

	# While what the key is for works, for the same user.
	spawn "$work/own-$type" env OPENSSL_CONF="$kw_conf" setpriv --reuid www-data --regid www-data --init-groups -- \
		openssl s_server -accept "127.0.0.1:$port" -cert "$work/$key.pem" -key "$file" -www
	server=$spawned
	wait_for_port "$port"
	check "$type: a TLS 1.3 handshake" handshake "$port" "$key" 1.3
	check "$type: a TLS 1.2 handshake" handshake "$port" "$key" 1.2
	stop_process "$server" KILL
	check "$type: these are counted too" test "$(show_field "$key" signatures)" -ge 2
done

# Another user may not even do that.
refuse "another user's call is refused" "may not use the key" env OPENSSL_CONF="$kw_conf" setpriv --reuid games --regid games --clear-groups -- \
	openssl dgst -sha256 -sign "$work/ec-p256.test.key" -out /dev/null "$work/ca.pem"
tee_stop
equal "the TEE's exit status" 0 $?
finish
