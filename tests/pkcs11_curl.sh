#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# curl with a client key in the TEE, by libp11's ENGINE: a server that asks for a certificate.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pkcs11_steps.sh"
scenario pkcs11-curl pkcs11-tool curl nginx openssl
libp11_engine
pkcs11_start
make_ca
make_key ec.test 01 EC:prime256v1
make_key rsa.test 02 rsa:2048
certificate_for ec.test
certificate_for rsa.test
file_key server ec-p256
read -r port <<<"$(free_ports 1)"
mkdir "$work/nginx"
cat >"$work/nginx.conf" <<-CONF
	daemon off;
	user www-data;
	worker_processes 1;
	pid $work/nginx/pid;
	events { worker_connections 64; }
	http {
		access_log off;
		client_body_temp_path $work/nginx/body;
		proxy_temp_path $work/nginx/proxy;
		fastcgi_temp_path $work/nginx/fastcgi;
		uwsgi_temp_path $work/nginx/uwsgi;
		scgi_temp_path $work/nginx/scgi;
		server {
			listen 127.0.0.1:$port ssl;
			ssl_protocols TLSv1.2 TLSv1.3;
			ssl_certificate $work/server.file.pem;
			ssl_certificate_key $work/server.file.key;
			ssl_client_certificate $work/ca.pem;
			ssl_verify_client on;
			location / { return 200 "hello \$ssl_client_s_dn \$ssl_protocol\n"; }
		}
	}
CONF
spawn "$work/nginx.log" nginx -c "$work/nginx.conf" -e "$work/nginx.log"
wait_for_port "$port" || show_file "$work/nginx.log"

# get VERSION [ARGUMENT…]: what the server knows about the client
get()
{
	timeout 20 curl -sS --cacert "$work/ca.pem" --resolve "server:$port:127.0.0.1" --tlsv1."${1#*.}" --tls-max "$1" "${@:2}" "https://server:$port/"
}
# greeted VERSION NAME ARGUMENT…
greeted() { get "$1" "${@:3}" >"$work/reply" && grep -qx "hello CN=$2 TLSv${1}" "$work/reply"; }
for key in ec rsa; do
	for version in 1.2 1.3; do
		check "curl shows the server the $key key, TLS $version" used $key.test greeted $version $key.test --engine pkcs11 \
			--key-type ENG --key "pkcs11:token=Keyward;object=$key.test;type=private" --cert "$work/$key.test.pem"
	done
done
check "with the key's id as its address" used ec.test greeted 1.3 ec.test --engine pkcs11 \
	--key-type ENG --key 'pkcs11:token=Keyward;id=%01;type=private' --cert "$work/ec.test.pem"
check "and a PIN, which the token does not need" used ec.test greeted 1.3 ec.test --engine pkcs11 \
	--key-type ENG --key 'pkcs11:token=Keyward;id=%01;type=private;pin-value=1234' --cert "$work/ec.test.pem"
check "with curl's usual key type, by the address alone" used rsa.test greeted 1.3 rsa.test \
	--key 'pkcs11:token=Keyward;id=%02;type=private' --cert "$work/rsa.test.pem"
refuse "a certificate of another key is of no use" "curl: \(58\)|does not match|mismatch" get 1.3 --engine pkcs11 --key-type ENG \
	--key 'pkcs11:token=Keyward;id=%02;type=private' --cert "$work/ec.test.pem"
get 1.3 >"$work/reply" 2>&1
check "and without a certificate the server says so" grep -q '400 No required SSL certificate' "$work/reply"
no_key() { get 1.3 --engine pkcs11 --key-type ENG --key 'pkcs11:token=Keyward;object=none;type=private' --cert "$work/ec.test.pem"; }
refuse "a key that is not there" "curl: \(58\)" no_key
finish
