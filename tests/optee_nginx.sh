#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nginx on the emulated board with keys in OP-TEE, and clients outside of the board; before and after a reboot.
# usage: KW_QEMU_BUILD=build-qemu tests/optee_nginx.sh     after tools/qemu/build
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/optee_steps.sh"
board_scenario optee-nginx curl
mkdir "$share"

# A server whose certificates and keys are in its configuration, and one that takes them by the name that it is asked for.
guest_nginx_conf >"$share/nginx.conf" <<-'CONF'
	server {
		listen 443 ssl;
		server_name www.test.com;
		ssl_certificate /disk/tls/www.test.com.crt;
		ssl_certificate_key /disk/tls/www.test.com.pem;
		location / { return 200 "www over $ssl_protocol\n"; }
	}
	server {
		listen 443 ssl;
		server_name rsa.test.com;
		ssl_certificate /disk/tls/rsa.test.com.crt;
		ssl_certificate_key /disk/tls/rsa.test.com.pem;
		location / { return 200 "rsa over $ssl_protocol\n"; }
	}
	server {
		listen 8443 ssl;
		ssl_certificate /disk/tls/$ssl_server_name.crt;
		ssl_certificate_key /disk/tls/$ssl_server_name.pem;
		location / { return 200 "$ssl_server_name over $ssl_protocol\n"; }
	}
CONF
guest_openssl_conf

boot_board()
{
	if ! boot 443 8443; then
		not_ok "the board boots"
		show_file "$work/board.log"
		finish
	fi
	ok "the board boots"
	port=$(port_of 443) port_names=$(port_of 8443)
}

# page PORT NAME 1.2|1.3: what curl gets.
page()
{
	curl -sS --max-time 30 --cacert "$work/ca.pem" "--tlsv$3" --tls-max "$3" --resolve "$2:$1:127.0.0.1" "https://$2:$1/"
}

# clients WHEN
clients()
{
	local version
	for version in 1.3 1.2; do
		check "openssl verifies TLS $version with an EC key $1" handshake "$port" www.test.com "$version"
		check "openssl verifies TLS $version with an RSA key $1" handshake "$port" rsa.test.com "$version"
		equal "curl too, EC, TLS $version" "www over TLSv$version" "$(page "$port" www.test.com "$version" 2>&1)"
		equal "curl too, RSA, TLS $version" "rsa over TLSv$version" "$(page "$port" rsa.test.com "$version" 2>&1)"
		check "the server that takes keys by name, EC, TLS $version, $1" handshake "$port_names" www.test.com "$version"
		check "and RSA" handshake "$port_names" rsa.test.com "$version"
	done
}

# refused NAME WHY: by an alert in both versions, while the others are served.
refused()
{
	local version
	for version in 1.3 1.2; do
		refuse "$2: TLS $version ends with an alert" "alert (internal error|handshake failure)" \
			handshake "$port_names" "$1" "$version"
		check "$2: another domain is served, TLS $version" handshake "$port_names" www.test.com "$version"
	done
}

# log_says PATTERN; no_crash_there: of nginx on the board
log_says() { guest grep -E "$1" /var/log/nginx/error.log; }
no_crash_there()
{
	guest cat /var/log/nginx/error.log >"$work/error.log" && no_crash "$work/error.log"
}
has_name() { guest keyward --tee optee key list --names | grep -qxF "$1"; }
worker_pids()
{
	local master
	master=$(guest cat /run/nginx.pid)
	guest pidof nginx | tr ' ' '\n' | grep -vxF "$master" | sort
}
# None of the workers in $before is left.
all_replaced()
{
	local now
	now=$(worker_pids)
	[ "$(wc -w <<<"$now")" = 2 ] && [ -z "$(comm -12 <(echo "$before") <(echo "$now"))" ]
}

make_ca
for pair in www.test.com:ec-p256 rsa.test.com:rsa-2048; do
	file_key "${pair%:*}" "${pair#*:}" || exit 1
	cp "$work/${pair%:*}.file.key" "$share/${pair%:*}.key.pem"
	cp "$work/${pair%:*}.file.pem" "$share/${pair%:*}.crt"
done

boot_board
guest mkdir -p /disk/tls
for host in www.test.com rsa.test.com; do
	check "$host: its key file is imported" import_key "$host" "/share/$host.key.pem"
	rm "$share/$host.key.pem"
	guest cp "/share/$host.crt" /disk/tls/
done
check "what nginx gets holds no private key that openssl alone can read" \
	guest sh -c '! OPENSSL_CONF=/dev/null openssl pkey -in /disk/tls/www.test.com.pem -noout'
check "nginx starts with it" start_nginx
if [ "$failed" -gt 0 ]; then
	show_file "$work/logs/secure.log"
	finish
fi
clients "from outside"
equal "its workers are not the owner of the keys" "www-data www-data" \
	"$(guest sh -c 'for p in $(pidof nginx); do stat -c %U /proc/$p; done' | grep -v root | xargs)"
equal "sixteen clients at once" 16 "$(for n in {1..16}; do handshake "$port" www.test.com 1.3 >/dev/null 2>&1 && echo "$n" & done | wc -l)"

before=$(worker_pids)

# Domains that cannot be served. No file of that name; a file whose key is in no TEE; a key that nginx may not use.
refused none.test.com "a domain of which there is nothing"
file_key shop.test.com ec-p256
cp "$work/shop.test.com.file.key" "$share/shop.key.pem"
cp "$work/shop.test.com.file.pem" "$share/shop.test.com.crt"
guest cp /share/shop.test.com.crt /disk/tls/
check "another key is imported while nginx runs" import_key shop.test.com /share/shop.key.pem
check "its domain is served without a reload" handshake "$port_names" shop.test.com 1.3
guest keyward --tee optee key deny shop.test.com user:www-data >/dev/null
refused shop.test.com "a domain whose key nginx may not use"
check "nginx's log says which command helps" log_says "keyward( --tee optee)? key allow shop\.test\.com user:www-data"
guest keyward --tee optee key allow shop.test.com user:www-data >/dev/null
check "and it does, at once" handshake "$port_names" shop.test.com 1.2
check "its key is deleted" guest keyward --tee optee key delete shop.test.com --yes
refused shop.test.com "a domain whose key was deleted"
check "nginx's log names the key" log_says "shop\.test\.com.* is not in"
equal "nginx goes on, with the same workers" "$before" "$(worker_pids)"
check "no crash in nginx's log" no_crash_there
check "the board powers off" power_off

boot_board
for host in www.test.com rsa.test.com; do
	check "$host: its key is still there" has_name "$host"
done
check "nginx starts, without another import" start_nginx
clients "after the reboot"
refused shop.test.com "a domain whose key was deleted before the reboot"
before=$(worker_pids)
check "a reload" guest env OPENSSL_CONF=/share/openssl.cnf nginx -c /share/nginx.conf -s reload
check "other workers take over" wait_for 20 all_replaced
check "a handshake after the reload" handshake "$port" www.test.com 1.3
check "no crash in nginx's log" no_crash_there
check "the board powers off again" power_off
[ "$failed" -eq 0 ] || show_file "$work/error.log" 40
finish
