#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# HAProxy with keys in the TEE: the certificate and the key in one PEM file, and in two.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server_steps.sh"
server_user=haproxy
scenario haproxy haproxy openssl
make_server_keys
read -r port_ec port_rsa <<<"$(free_ports 2)"
mkdir "$work/haproxy"
chroot='' # the line of the configuration

write_config()
{
	# HAProxy takes one file with both, or `crt` and beside it the same name with `.key`.
	cat "$work/ec.test.pem" "$work/ec.test.key" >"$work/haproxy/ec.test.pem"
	cp "$work/rsa.test.pem" "$work/haproxy/rsa.test.pem"
	cp "$work/rsa.test.key" "$work/haproxy/rsa.test.pem.key"
	cat >"$work/haproxy.cfg" <<-CONF
		global
			user haproxy
			group haproxy
			pidfile $work/haproxy/pid
			stats socket $work/haproxy/admin.sock level admin
			master-worker
			$chroot
			log stderr local0
			ssl-default-bind-options ssl-min-ver TLSv1.2
		defaults
			mode http
			log global
			timeout client 10s
			timeout server 10s
			timeout connect 10s
		frontend ec
			bind 127.0.0.1:$port_ec ssl crt $work/haproxy/ec.test.pem
			http-request return status 200 content-type text/plain string hello
		frontend rsa
			bind 127.0.0.1:$port_rsa ssl crt $work/haproxy/rsa.test.pem
			http-request return status 200 content-type text/plain string hello
	CONF
}

around=(env) # what starts the server
start_server()
{
	write_config
	OPENSSL_CONF=$kw_conf spawn "$work/haproxy/log" "${around[@]}" haproxy -f "$work/haproxy.cfg" -S "$work/haproxy/master.sock"
	haproxy_pid=$spawned
	wait_for_port "$port_rsa" && wait_for 10 worker_is_new none
}

worker() { pgrep -P "$haproxy_pid" -u haproxy; }
worker_is_new()
{
	local now
	now=$(worker) && [ "$(wc -w <<<"$now")" = 1 ] && [ "$now" != "$1" ]
}
reload_server()
{
	local before
	before=$(worker)
	kill -USR2 "$haproxy_pid" && wait_for 20 worker_is_new "$before" && wait_for_port "$port_rsa"
}
# When a worker dies HAProxy ends as a whole, and its supervisor starts it again.
kill_worker()
{
	local before
	before=$(worker)
	kill -KILL "$before" && wait_for 20 gone_or_zombie "$haproxy_pid" && start_server
}
# USR1 is the soft stop; HAProxy ends with 0 then.
stop_server() { stop_process "$haproxy_pid" USR1; }
server_logs() { echo "$work/haproxy/log"; }
one_handshake()
{
	local port=port_$1
	handshake "${!port}" "$1.test" "$2"
}

server_life

# Debian's configuration has a chroot. The drop-in in packaging/ mounts the socket's directory inside, as here.
jail=$work/jail
mkdir -p "$jail$work/tee"
chroot="chroot $jail"
around=(unshare --mount sh -c "mount --bind '$work/tee' '$jail$work/tee' && exec \"\$@\"" sh)
if [ "$KW_FILE_KEYS" = 1 ] || ! "${around[@]}" true; then
	skip 'in a chroot: mounts are not possible here'
elif start_server; then
	for suite in 1.3 1.2; do
		check "in a chroot: EC, TLS $suite" one_handshake ec "$suite"
		check "in a chroot: RSA, TLS $suite" one_handshake rsa "$suite"
	done
	check 'in a chroot: clean exit' stop_server
else
	not_ok 'HAProxy starts in a chroot'
	show_file "$work/haproxy/log"
fi
finish
