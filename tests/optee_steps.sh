# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What scenarios share in which the emulated board runs while something outside of it happens: its memory is dumped, or
# clients connect to it. A scenario sources lib.sh and this file, calls `board_scenario NAME COMMAND…`, `boot`, then
# `guest` as often as it wants, and `power_off`. Commands reach the board through its shared folder, one after the other.
#
#   KW_QEMU_BUILD   what tools/qemu/build made (default: build-qemu beside this tree)

board_scenario()
{
	local command
	name=$1
	shift
	for command in openssl "$@"; do
		command -v "$command" >/dev/null || skip_all "$name: $command is not installed"
	done
	work=$(mktemp -d "${TMPDIR:-/tmp}/keyward-$name.XXXXXX")
	trap 'power_cut; cleanup' EXIT
	trap 'exit 130' HUP INT TERM
	share=$work/share
	board=
}

# The first command of the board: it carries out what `guest` puts into the shared folder, until `power_off`.
write_agent()
{
	rm -rf "$share/steps"
	mkdir -p "$share/steps"
	cat >"$share/agent" <<-'END'
		cd /share/steps || exit 1
		n=1
		while :; do
			until [ -e "$n" ]; do usleep 50000; done
			[ -s "$n" ] || exit 0
			(cd /root && sh "/share/steps/$n") >"$n.out" 2>&1 </dev/null
			echo $? >"$n.new"
			mv "$n.new" "$n.status"
			n=$((n + 1))
		done
	END
}

# boot PORT… [-- ARGUMENT…]: with $work/disk as its storage and these ports forwarded; arguments are those of
# tools/qemu/run. The shared folder is $share, and /share on the board. boot_only: whether or not the TEE answers then.
boot() { boot_only "$@" && wait_for_tee; }
boot_only()
{
	local ports=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		ports+=(--forward "$1")
		shift
	done
	shift $(($# > 0))
	write_agent
	echo 0 >"$work/step"
	rm -f "$work/ports"
	spawn "$work/board.log" "$top/tools/qemu/run" --no-build --share "$share" --logs "$work/logs" --disk "$work/disk" \
		--ports "$work/ports" "${ports[@]}" "$@" sh /share/agent
	board=$spawned
	wait_for 120 board_up && ! gone_or_zombie "$board"
}

# The first call loads the Trusted Application, which takes many times as long as any other: on a busy machine, longer
# than a call's deadline. That is waited for, and said.
wait_for_tee()
{
	local tries
	for tries in 1 2 3 4 5 6; do
		guest keyward --tee optee status >"$work/first" 2>&1 && return
		echo "# call $tries after the boot: $(tail -n 1 "$work/first")"
	done
	return 1
}
board_up() { gone_or_zombie "$board" || [ -s "$work/ports" ]; }

# port_of PORT: prints where that port of the board is, on 127.0.0.1.
port_of() { sed -n "s/^$1 127\.0\.0\.1://p" "$work/ports"; }

# guest COMMAND…: as root on the board; its output and its exit status. 125: the board is gone. One at a time.
guest()
{
	local step
	# In a file, because this is called in subshells too.
	step=$(($(cat "$work/step") + 1))
	echo "$step" >"$work/step"
	echo "${*@Q}" >"$share/steps/new"
	mv "$share/steps/new" "$share/steps/$step"
	until [ -s "$share/steps/$step.status" ]; do
		if gone_or_zombie "$board"; then
			echo "the board is gone"
			return 125
		fi
		sleep 0.05
	done
	cat "$share/steps/$step.out"
	return "$(cat "$share/steps/$step.status")"
}

# power_off: an orderly one. The result is 0 when the board's first process ended well.
power_off()
{
	local status
	: >"$share/steps/$(($(cat "$work/step") + 1))"
	wait_for 60 gone_or_zombie "$board" || power_cut
	wait "$board" 2>/dev/null
	status=$?
	board=
	return $status
}

power_cut()
{
	[ -z "$board" ] || stop_process "$board"
	board=
}

# --- nginx on the board ---

# An openssl.cnf in the shared folder, and the PEM files and certificates of a server in /disk/tls: NAME.pem, NAME.crt.
guest_openssl_conf()
{
	cat >"$share/openssl.cnf" <<-'END'
		openssl_conf = init
		[init]
		providers = providers
		[providers]
		default = default_provider
		keyward = keyward_provider
		[default_provider]
		activate = 1
		[keyward_provider]
		tee = optee
		activate = 1
	END
}

# guest_nginx_conf: prints what stands around the servers, which come from standard input.
guest_nginx_conf()
{
	cat <<-'END'
		user www-data;
		worker_processes 2;
		pid /run/nginx.pid;
		error_log /var/log/nginx/error.log info;
		events { worker_connections 256; }
		http {
			access_log off;
			ssl_session_cache off;
			ssl_session_tickets off;
			ssl_protocols TLSv1.2 TLSv1.3;
	END
	cat
	echo "}"
}

# start_nginx: with /share/nginx.conf and Keyward's provider. It has daemonized when this returns.
start_nginx() { guest env OPENSSL_CONF=/share/openssl.cnf nginx -c /share/nginx.conf; }
nginx_processes() { guest pidof nginx; }

# import_key NAME FILE [ARGUMENT…]: for nginx's workers; and what nginx gets as the key file, /disk/tls/NAME.pem.
import_key()
{
	local key=$1 file=$2
	shift 2
	guest keyward --tee optee key import "$key" "$file" --purpose tls-server,csr --allow user:www-data "$@" &&
		guest keyward --tee optee key pem "$key" -o "/disk/tls/$key.pem"
}
