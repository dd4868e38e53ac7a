#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nginx with keys in the TEE.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server_steps.sh"
scenario nginx nginx openssl
make_server_keys
read -r port_ec port_rsa port_name <<<"$(free_ports 3)"
key_ec=$work/ec.test.key key_rsa=$work/rsa.test.key

write_config()
{
	mkdir -p "$work/nginx/domains"
	cat >"$work/nginx.conf" <<-CONF
		user www-data;
		daemon off;
		worker_processes 2;
		pid $work/nginx/pid;
		error_log $work/nginx/error.log info;
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
				ssl_certificate_key $key_ec;
				location / { return 200 "hello\n"; }
			}
			server {
				listen 127.0.0.1:$port_rsa ssl;
				ssl_certificate $work/rsa.test.pem;
				ssl_certificate_key $key_rsa;
				location / { return 200 "hello\n"; }
			}
			server {
				listen 127.0.0.1:$port_name ssl;
				ssl_certificate $work/nginx/domains/\$ssl_server_name.crt;
				ssl_certificate_key $work/nginx/domains/\$ssl_server_name.pem;
				location / { return 200 "hello\n"; }
			}
		}
	CONF
}

start_server()
{
	write_config
	: >"$work/nginx/stderr"
	OPENSSL_CONF=$kw_conf OPENSSL_ENGINES=$kw_engines \
		spawn "$work/nginx/stderr" nginx -c "$work/nginx.conf" -e "$work/nginx/error.log"
	nginx_pid=$spawned
	wait_for_port "$port_rsa" && alive "$nginx_pid"
}

workers() { pgrep -P "$nginx_pid" | sort | tr '\n' ' '; }
# The old workers have gone and two others are there.
workers_replaced()
{
	local now
	now=$(workers)
	[ "$(wc -w <<<"$now")" = 2 ] && ! grep -qwF "${1%% *}" <<<"$now" && ! grep -qwF "$(awk '{print $2}' <<<"$1")" <<<"$now"
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
	handshake "${!port}" "$1.test" "$2"
}

server_life

# A domain more, without a reload: the key file is read at each handshake, by the worker.
name=nginx-names
start_server
for domain in first second; do
	refuse "nginx has no key for $domain.test yet" "alert|handshake failure|internal error" handshake "$port_name" "$domain.test" 1.3
	server_key "$domain.test" ec-p256 www-data
	install -m 644 "$work/$domain.test.pem" "$work/nginx/domains/$domain.test.crt"
	install -m 644 "$work/$domain.test.key" "$work/nginx/domains/$domain.test.pem"
	[ "$KW_FILE_KEYS" = 0 ] || chown www-data "$work/nginx/domains/$domain.test.pem"
	check "nginx serves $domain.test without a reload" handshake "$port_name" "$domain.test" 1.3
done
tee_restart KILL
check "and after a restart of the TEE" handshake "$port_name" second.test 1.2

if [ "$KW_FILE_KEYS" = 0 ]; then
	# Who is not on the list is refused, and nginx's own log says who, which key and what to do.
	keyward key deny ec.test user:www-data >/dev/null
	refuse "a key that www-data may not use serves no handshake" "alert|handshake failure|internal error" \
		handshake "$port_ec" ec.test 1.3
	check "nginx's log says who was refused, which key, and the command that allows it" \
		grep -E "www-data.*ec\.test.*keyward key allow ec\.test user:www-data" "$work/nginx/error.log"
	keyward key allow ec.test user:www-data >/dev/null
	check "that command helps at once" handshake "$port_ec" ec.test 1.3
fi
stop_server
equal "nginx-names: exit status at the end" 0 $?

if [ "$KW_FILE_KEYS" = 0 ]; then
	name=nginx-engine
	key_ec=engine:keyward:ec.test key_rsa=engine:keyward:$work/rsa.test.key
	# Without any OpenSSL configuration: the ENGINE is found by its name alone.
	kw_conf=$work/plain.cnf
	server_life
fi
finish
