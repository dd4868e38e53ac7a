#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# NSS with keys and certificates in the TEE: modutil, certutil, a TLS server (selfserv) and a client (tstclnt).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pkcs11_steps.sh"
scenario pkcs11-nss pkcs11-tool modutil certutil selfserv tstclnt openssl
pkcs11_start
make_ca
make_key ec.test 01 EC:prime256v1
make_key rsa.test 02 rsa:2048
db=sql:$work/db
mkdir "$work/db"
head -c 64 /dev/urandom >"$work/noise"
certutil -N -d "$db" --empty-password
certutil -A -d "$db" -n ca -t CT,C,C -a -i "$work/ca.pem"

# --- modutil ---

check "modutil adds the module" modutil -force -dbdir "$db" -add Keyward -libfile "$module"
check "and lists it" modutil -dbdir "$db" -list Keyward
said "with its token" 'Token Name: +Keyward'

# --- certutil ---

check "certutil lists the private keys" certutil -K -d "$db" -h Keyward
said "the EC key" '^<.*> ec +01 +ec.test$'
said "the RSA key" '^<.*> rsa +02 +rsa.test$'
for key in 01:ec 02:rsa; do
	label=${key#*:}.test
	check "certutil makes a request with the ${key#*:} key" used "$label" certutil -R -d "$db" -h Keyward -k "${key%:*}" -s "CN=$label" \
		--extSAN "dns:$label" -a -o "$work/$label.csr"
	check "OpenSSL verifies it" openssl req -in "$work/$label.csr" -noout -verify
	sign_request "$work/$label.csr" "$work/$label.pem"
	# certutil would give the certificate an id of NSS's own, which is not the key's.
	openssl x509 -in "$work/$label.pem" -outform DER -out "$work/$label.der"
	check "its certificate is put beside it" tool --write-object "$work/$label.der" --type cert --id "${key%:*}" --label "$label"
done
check "certutil lists the certificates" certutil -L -d "$db" -h Keyward
said "with the user's key" '^Keyward:rsa.test +u,u,u$'
check "certutil verifies one" certutil -V -d "$db" -n Keyward:ec.test -u V

# A key and its certificate, both by NSS
check "certutil makes a key and a self-signed certificate in the TEE" certutil -S -d "$db" -h Keyward -n made -s CN=made -x -t ,, \
	-k ec -q nistp256 -z "$work/noise"
check "certutil shows the certificate" certutil -L -d "$db" -n Keyward:made -a
# shellcheck disable=SC2016  # for the shell that is started here
check "certutil verifies its signature" sh -c 'certutil -L -d "$1" -n Keyward:made -a >"$2" && openssl verify -CAfile "$2" -check_ss_sig "$2"' \
	sh "$db" "$work/made.pem"
made() { keyward key list | grep -c '^id:[0-9a-f]* *ec-p256 '; }
equal "the command line has the key" 1 "$(made)"
check "certutil deletes both" certutil -F -d "$db" -n Keyward:made
equal "the command line has it no more" 0 "$(made)"

# --- TLS ---

read -r port <<<"$(free_ports 1)"
for key in ec rsa; do
	[ $key = ec ] && names=(-e Keyward:ec.test) || names=(-n Keyward:rsa.test)
	spawn "$work/serv.log" selfserv -d "$db" "${names[@]}" -p "$port" -V tls1.2:tls1.3 -v
	wait_for_port "$port" || show_file "$work/serv.log"
	for version in 1.2 1.3; do
		check "selfserv, TLS $version with the $key key" used $key.test handshake "$port" $key.test $version
	done
	stop_process "$spawned"
done
file_key server ec-p256
spawn "$work/serv.log" openssl s_server -accept "127.0.0.1:$port" -cert "$work/server.file.pem" -key "$work/server.file.key" \
	-CAfile "$work/ca.pem" -Verify 1 -verify_return_error -www
wait_for_port "$port" || show_file "$work/serv.log"
printf 'GET / HTTP/1.0\r\n\r\n' >"$work/request"
# client VERSION [ARGUMENT…]: an answer to a request
client()
{
	timeout 20 tstclnt -d "$db" -h 127.0.0.1 -a server -p "$port" -V "tls$1:tls$1" -A "$work/request" "${@:2}" >"$work/client.out" 2>&1
	cat "$work/client.out"
	grep -aq 'HTTP/1.0 200' "$work/client.out"
}
for key in ec rsa; do
	for version in 1.2 1.3; do
		check "tstclnt, TLS $version with the $key key" used $key.test client $version -n Keyward:$key.test
	done
done
refuse "the server lets nobody in without" "alert|CERT|failed" client 1.2 -n none
finish
