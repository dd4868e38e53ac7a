#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Full TLS 1.3 handshakes with nginx, one connection at a time: a file key beside a Keyward key. Two nginx with one
# worker each, visited in turn. usage: bench/nginx.sh [--short]
. "$(dirname "$0")/../tests/lib.sh"
scenario bench-nginx nginx openssl
count=4000 rounds=5
[ "${1:-}" != --short ] || { count=100 rounds=1; }
make_ca
tee_start || {
	show_file "$work/tee.log"
	exit 1
}

# one_nginx NAME CERTIFICATE KEY PORT: sets $worker.
one_nginx()
{
	local dir=$work/nginx-$1
	mkdir "$dir"
	cat >"$dir/conf" <<-CONF
		user www-data;
		daemon off;
		worker_processes 1;
		pid $dir/pid;
		error_log $dir/error.log;
		events { worker_connections 256; }
		http {
			access_log off;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			ssl_protocols TLSv1.3;
			ssl_session_tickets off;
			server {
				listen 127.0.0.1:$4 ssl;
				ssl_certificate $2;
				ssl_certificate_key $3;
			}
		}
	CONF
	spawn "$dir/stderr" nginx -c "$dir/conf" -e "$dir/error.log"
	wait_for_port "$4" || {
		show_file "$dir/error.log"
		exit 1
	}
	worker=$(pgrep -P "$spawned")
}

# Nanoseconds on a CPU, of all threads of a process.
cpu() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }

echo
echo "## nginx: one full TLS 1.3 handshake at a time"
echo
echo "| key | | p50 µs | p99 µs | worker CPU µs | TEE CPU µs |"
echo "|---|---|---|---|---|---|"
missed=0
for type in ec-p256 rsa-2048; do
	read -r port_file port_keyward <<<"$(free_ports 2)"
	file_key "$type" "$type"
	keyward key import "$type" "$work/$type.file.key" --purpose tls-server --allow user:www-data >/dev/null &&
		keyward key pem "$type" -o "$work/$type.key" >/dev/null || exit 1
	one_nginx "file-$type" "$work/$type.file.pem" "$work/$type.file.key" "$port_file"
	worker_file=$worker
	OPENSSL_CONF=$kw_conf one_nginx "keyward-$type" "$work/$type.file.pem" "$work/$type.key" "$port_keyward"
	worker_keyward=$worker
	: >"$work/rounds"
	for ((i = 0; i < rounds; i++)); do
		before=("$(cpu "$worker_file")" "$(cpu "$worker_keyward")" "$(cpu "$tee_pid")")
		"$KW_BUILD/bench/handshake" "$count" "$port_file" "$port_keyward" >"$work/round" || exit 1
		after=("$(cpu "$worker_file")" "$(cpu "$worker_keyward")" "$(cpu "$tee_pid")")
		# The handshake program warms up with 20 more.
		echo "$(awk '{ print $2, $3 }' "$work/round" | xargs) $(for j in 0 1 2; do
			echo $(((after[j] - before[j]) / (count + 20)))
		done | xargs)" >>"$work/rounds"
	done
	python3 - "$work/rounds" "$type" <<'PY' || missed=1
import statistics, sys
rows = [[float(x) for x in line.split()] for line in open(sys.argv[1])]
m = [statistics.median(c) for c in zip(*rows)]
name = sys.argv[2]
print(f"| {name} | file | {m[0]:.0f} | {m[1]:.0f} | {m[4] / 1000:.0f} | |")
print(f"| {name} | Keyward | {m[2]:.0f} | {m[3]:.0f} | {m[5] / 1000:.0f} | {m[6] / 1000:.0f} |")
print(f"| {name} | ratio | {m[2] / m[0]:.2f} (goal ≤ 1.10) | {m[3] / m[1]:.2f} | {m[5] / m[4]:.2f} (goal ≤ 1.00) | |")
sys.exit(m[2] / m[0] > 1.10 or m[5] > m[4])
PY
done
echo
echo "Medians of $rounds rounds of $count handshakes with each server, interleaved one by one."
if [ "$missed" = 1 ] && [ "${1:-}" != --short ]; then
	echo "A goal is missed."
	exit 1
fi
