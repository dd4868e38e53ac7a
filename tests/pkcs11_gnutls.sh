#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# GnuTLS with keys in the TEE: p11tool, requests and certificates by certtool, TLS by gnutls-serv and gnutls-cli.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pkcs11_steps.sh"
scenario pkcs11-gnutls pkcs11-tool p11tool certtool gnutls-serv gnutls-cli openssl
pkcs11_start
make_ca
make_key ec.test 01 EC:prime256v1
make_key rsa.test 02 rsa:2048
make_key ed.test 03 EC:edwards25519

# --- p11tool ---

address() { echo "pkcs11:token=Keyward;object=$1;type=${2:-private}"; }
check "p11tool finds the token" p11tool --provider "$module" --batch --list-tokens
check "p11tool lists the private keys" p11tool --provider "$module" --batch --list-privkeys
for type in EC/ECDSA-SECP256R1 RSA-2048 EdDSA; do
	said "among them $type" "Private key \\($type"
done
check "p11tool lists all objects" p11tool --provider "$module" --batch --list-all
equal "a private and a public one of each key" 6 "$(grep -c '^Object' "$work/check.out")"
check "p11tool signs and verifies" used rsa.test p11tool --provider "$module" --batch --test-sign "$(address rsa.test)"
check "p11tool makes a key" p11tool --provider "$module" --batch --generate-privkey ecc --curve secp384r1 --label more --id 0a 'pkcs11:token=Keyward'
check "which is there" keyward key show more
check "and deletes it" p11tool --provider "$module" --batch --delete "$(address more)"
refuse "it is gone" "is not in the TEE" keyward key show more

# Without being told of the module: as it is installed, p11-kit finds it.
as_installed()
{
	local modules=/usr/share/p11-kit/modules libraries
	libraries=$(pkg-config --variable=p11_module_path p11-kit-1)
	# shellcheck disable=SC2016  # for the shell that is started here
	unshare -m sh -ec 'mount --bind "$1$2" "$2" && mount --bind "$(dirname "$3")" "$4" && shift 4 && exec "$@"' sh \
		"$KW_STAGE" "$modules" "$module" "$libraries" "$@"
}
if as_installed true 2>/dev/null; then
	check "p11-kit finds the installed module" as_installed p11tool --batch --list-all "$(address rsa.test)"
	said "and the key" 'Label: rsa.test'
else
	skip "no mount namespaces here, or no p11-kit: the installed module"
fi

# --- certtool ---

certtool_key() { certtool --provider "$module" --load-privkey "$(address "$1")" --load-pubkey "$(address "$1" public)" "${@:2}" </dev/null; }
for key in ec rsa ed; do
	printf '%s\n' "cn = $key.test" "dns_name = $key.test" 'expiration_days = 30' tls_www_server tls_www_client signing_key >"$work/template"
	check "certtool makes a request with the $key key" used $key.test certtool_key $key.test --generate-request \
		--template "$work/template" --outfile "$work/$key.csr"
	check "OpenSSL verifies its signature" openssl req -in "$work/$key.csr" -noout -verify
	check "certtool makes a self-signed certificate" used $key.test certtool_key $key.test --generate-self-signed \
		--template "$work/template" --outfile "$work/$key.self.pem"
	check "OpenSSL verifies it" openssl verify -CAfile "$work/$key.self.pem" -check_ss_sig "$work/$key.self.pem"
	sign_request "$work/$key.csr" "$work/$key.pem"
done

# --- TLS ---

read -r port <<<"$(free_ports 1)"
for key in ec rsa ed; do
	spawn "$work/serv.log" gnutls-serv --provider "$module" --x509keyfile "$(address $key.test)" --x509certfile "$work/$key.pem" \
		--disable-client-cert --port "$port" --echo
	wait_for_port "$port" || show_file "$work/serv.log"
	for version in 1.2 1.3; do
		check "gnutls-serv, TLS $version with the $key key" used $key.test handshake "$port" $key.test $version
	done
	stop_process "$spawned"
done

file_key server ec-p256
spawn "$work/serv.log" openssl s_server -accept "127.0.0.1:$port" -cert "$work/server.file.pem" -key "$work/server.file.key" \
	-CAfile "$work/ca.pem" -Verify 1 -verify_return_error -www
wait_for_port "$port" || show_file "$work/serv.log"
# client VERSION [ARGUMENT…]: one connection to a server that wants a certificate, and an answer to a request
client()
{
	printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 gnutls-cli --x509cafile "$work/ca.pem" --port "$port" --sni-hostname server \
		--verify-hostname server --priority "NORMAL:-VERS-ALL:+VERS-TLS$1" "${@:2}" 127.0.0.1 >"$work/client.out" 2>&1
	cat "$work/client.out"
	grep -q 'HTTP/1.0 200' "$work/client.out"
}
for key in ec rsa ed; do
	for version in 1.2 1.3; do
		check "gnutls-cli, TLS $version with the $key key" used $key.test client $version --provider "$module" \
			--x509keyfile "$(address $key.test)" --x509certfile "$work/$key.pem"
	done
done
refuse "the server lets nobody in without" "certificate|alert|terminated" client 1.3
finish
