#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nginx with keys in the TEE by libp11's ENGINE and the PKCS #11 module: the master loads the keys, its children sign.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server_steps.sh"
. "$(dirname "$0")/pkcs11_steps.sh"
scenario pkcs11-nginx nginx openssl
libp11_engine
pkcs11_start
make_ca
# The ENGINE hashes for itself: a key for TLS servers alone would refuse it.
for type in ec-p256 rsa-2048; do
	check "a key $type is made" server_key "${type%%-*}.test" $type www-data sign,csr
done
read -r port_ec port_rsa <<<"$(free_ports 2)"
mkdir "$work/nginx"
cat >"$work/engine.cnf" <<-CNF
	openssl_conf = init
	[init]
	engines = engines
	[engines]
	pkcs11 = pkcs11_engine
	[pkcs11_engine]
	engine_id = pkcs11
	MODULE_PATH = $module
	init = 0
CNF
unset PKCS11_MODULE_PATH
cat >"$work/nginx.conf" <<-CONF
	user www-data;
	daemon off;
	worker_processes 2;
	env KEYWARD_SOCKET;
	pid $work/nginx/pid;
	error_log $work/nginx/error.log info;
	ssl_engine pkcs11;
	events { worker_connections 256; }
	http {
		access_log off;
		client_body_temp_path $work/nginx/body;
		proxy_temp_path $work/nginx/proxy;
		fastcgi_temp_path $work/nginx/fastcgi;
		uwsgi_temp_path $work/nginx/uwsgi;
		scgi_temp_path $work/nginx/scgi;
		ssl_session_cache off;
		ssl_protocols TLSv1.2 TLSv1.3;
		server {
			listen 127.0.0.1:$port_ec ssl;
			ssl_certificate $work/ec.test.pem;
			ssl_certificate_key "engine:pkcs11:pkcs11:token=Keyward;object=ec.test;type=private";
			location / { return 200 "hello\n"; }
		}
		server {
			listen 127.0.0.1:$port_rsa ssl;
			ssl_certificate $work/rsa.test.pem;
			ssl_certificate_key "engine:pkcs11:pkcs11:token=Keyward;object=rsa.test;type=private";
			location / { return 200 "hello\n"; }
		}
	}
CONF

start_server()
{
	OPENSSL_CONF=$work/engine.cnf spawn "$work/nginx/stderr" nginx -c "$work/nginx.conf" -e "$work/nginx/error.log"
	nginx_pid=$spawned
	wait_for_port "$port_rsa" && alive "$nginx_pid"
}
workers() { pgrep -P "$nginx_pid" | sort | tr '\n' ' '; }
# Of the workers before, none is there; two others are.
workers_replaced()
{
	local now
	now=$(workers)
	[ "$(wc -w <<<"$now")" = 2 ] && [ -z "$(comm -12 <(tr ' ' '\n' <<<"$1" | grep .) <(tr ' ' '\n' <<<"$now" | grep .))" ]
}
reload_server()
{
	local before
	before=$(workers)
	kill -HUP "$nginx_pid" && wait_for 20 workers_replaced "$before"
}
kill_worker()
{
	local before pid
	before=$(workers)
	for pid in $before; do
		kill -KILL "$pid"
	done
	wait_for 20 workers_replaced "$before"
}
stop_server() { stop_process "$nginx_pid" QUIT; }
server_logs() { echo "$work/nginx/stderr" "$work/nginx/error.log"; }
one_handshake()
{
	local port=port_$1
	used "$1.test" handshake "${!port}" "$1.test" "$2"
}
server_life

# Many clients at once, of both workers and both keys, while the master loads the keys again and forks.
start_server
clients=()
for n in 1 2 3 4; do
	(for i in 1 2 3 4 5; do
		handshake "$port_ec" ec.test 1.3 >/dev/null 2>&1 || echo ec
		handshake "$port_rsa" rsa.test 1.2 >/dev/null 2>&1 || echo rsa
	done) >"$work/failed.$n" &
	clients+=($!)
done
check "a reload meanwhile" reload_server
wait "${clients[@]}"
equal "40 handshakes by four clients at once" "" "$(cat "$work"/failed.*)"

# The workers sign as www-data, and the TEE asks who they are.
keyward key deny ec.test user:www-data >/dev/null
refuse "a key that www-data may not use serves no handshake" "alert|handshake failure|internal error" handshake "$port_ec" ec.test 1.3
keyward key allow ec.test user:www-data >/dev/null
check "and does once it may" handshake "$port_ec" ec.test 1.3
stop_server
equal "exit status at the end" 0 $?

# The same of everything else: the module in a process where the ENGINE is the default for all keys.
sed 's/init = 0/init = 1\ndefault_algorithms = ALL/' "$work/engine.cnf" >"$work/default.cnf"
check "all of the module where OpenSSL has it for its default" env OPENSSL_CONF="$work/default.cnf" "$KW_BUILD/tests/pkcs11_states" "$module"
sed -n 's/^not ok/#   not ok/p' "$work/check.out"
check "and what pkcs11-tool tests" env OPENSSL_CONF="$work/default.cnf" pkcs11-tool --module "$module" --test
said "without errors" '^No errors$'
finish
