#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Apache httpd with keys in the TEE.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server_steps.sh"
scenario apache apache2 openssl
make_server_keys
read -r port_ec port_rsa <<<"$(free_ports 2)"
mkdir -p "$work/apache/www"
echo hello >"$work/apache/www/index.html"

write_config()
{
	cat >"$work/apache.conf" <<-CONF
		ServerRoot $work/apache
		ServerName localhost
		User www-data
		Group www-data
		PidFile $work/apache/pid
		DefaultRuntimeDir $work/apache
		Mutex file:$work/apache default
		ErrorLog $work/apache/error.log
		LogLevel info
		GracefulShutdownTimeout 5
		StartServers 2
		ServerLimit 2
		ThreadsPerChild 4
		MaxRequestWorkers 8
		LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
		LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
		LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
		LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
		SSLProtocol -all +TLSv1.2 +TLSv1.3
		DocumentRoot $work/apache/www
		Listen 127.0.0.1:$port_ec https
		Listen 127.0.0.1:$port_rsa https
		<VirtualHost 127.0.0.1:$port_ec>
			ServerName ec.test
			SSLEngine on
			SSLCertificateFile $work/ec.test.pem
			SSLCertificateKeyFile $work/ec.test.key
		</VirtualHost>
		<VirtualHost 127.0.0.1:$port_rsa>
			ServerName rsa.test
			SSLEngine on
			SSLCertificateFile $work/rsa.test.pem
			SSLCertificateKeyFile $work/rsa.test.key
		</VirtualHost>
	CONF
}

start_server()
{
	write_config
	OPENSSL_CONF=$kw_conf spawn "$work/apache/stderr" apache2 -f "$work/apache.conf" -DFOREGROUND
	apache_pid=$spawned
	wait_for_port "$port_rsa" && wait_for 20 workers_differ ''
}

workers() { pgrep -P "$apache_pid" -u www-data | sort | tr '\n' ' '; }
# At least two workers, none of them one of the old.
workers_differ()
{
	local now pid
	now=$(workers)
	[ "$(wc -w <<<"$now")" -ge 2 ] || return 1
	for pid in $1; do
		! grep -qw "$pid" <<<"$now" || return 1
	done
}
reload_server()
{
	local before
	before=$(workers)
	kill -USR1 "$apache_pid" && wait_for 20 workers_differ "$before"
}
kill_worker()
{
	local before pid
	before=$(workers)
	for pid in $before; do
		kill -KILL "$pid"
	done
	wait_for 20 workers_differ "$before"
}
stop_server() { stop_process "$apache_pid" TERM; }
server_logs() { echo "$work/apache/stderr" "$work/apache/error.log"; }
one_handshake()
{
	local port=port_$1
	handshake "${!port}" "$1.test" "$2"
}

server_life
finish
