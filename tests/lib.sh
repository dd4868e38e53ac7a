# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the scenarios share: counters, a scratch directory, a TEE of their own, certificates, processes that are gone
# at the end. A scenario sources this file, calls `scenario NAME`, and ends with `finish`.
#
#   KW_BUILD      the build directory (default: build beside this tree)
#   KW_STAGE      an installed tree (meson install --destdir); made from KW_BUILD when unset
#   KW_FILE_KEYS  1: ordinary key files instead of Keyward's. Tells a fault of the server's configuration from ours.
#   KW_LONG       1: the long variant

set -u
export LC_ALL=C
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KW_BUILD=${KW_BUILD:-$top/build}
KW_FILE_KEYS=${KW_FILE_KEYS:-0}
KW_LONG=${KW_LONG:-0}
passed=0 failed=0 skipped=0
groups_started=()

ok() { passed=$((passed + 1)) && echo "ok - $*"; }
not_ok() { failed=$((failed + 1)) && echo "not ok - $*"; }
skip() { skipped=$((skipped + 1)) && echo "ok - # SKIP $*"; }

# check SENTENCE COMMAND…: the command must succeed; what it printed is shown when it does not.
check()
{
	local what=$1
	shift
	if "$@" >"$work/check.out" 2>&1; then
		ok "$what"
	else
		not_ok "$what"
		show_file "$work/check.out"
	fi
}

# refuse SENTENCE PATTERN COMMAND…: the command must fail, and say PATTERN (an extended regular expression).
refuse()
{
	local what=$1 pattern=$2
	shift 2
	if "$@" >"$work/check.out" 2>&1; then
		not_ok "$what (it was done)"
	elif ! grep -Eq -- "$pattern" "$work/check.out"; then
		not_ok "$what (refused, but without saying: $pattern)"
		show_file "$work/check.out"
	else
		ok "$what"
	fi
}

# equal SENTENCE EXPECTED FOUND
equal()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1: expected '$2', found '$3'"
	fi
}

show_file() { [ ! -f "$1" ] || tail -n "${2:-25}" "$1" | sed 's/^/#   /'; }

# wait_for SECONDS COMMAND…: until the command succeeds. Bounds a hang; nothing is measured by it.
wait_for()
{
	local tries=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
wait_for_port() { wait_for 20 port_open "$1"; }
alive() { kill -0 "$1" 2>/dev/null; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# free_ports N: prints N different free TCP ports.
free_ports()
{
	python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in held))
PY
}

# spawn LOG COMMAND…: in its own process group, which the end of the scenario kills. Sets $spawned.
spawn()
{
	local log=$1
	shift
	setsid "$@" >>"$log" 2>&1 </dev/null &
	spawned=$!
	groups_started+=("$spawned")
}

# stop_process PID [SIGNAL]: and wait until it is gone; the result is its exit status. 124: it had to be killed.
stop_process()
{
	kill "-${2:-TERM}" "$1" 2>/dev/null
	if ! wait_for 20 gone_or_zombie "$1"; then
		kill -KILL "$1" 2>/dev/null
		wait "$1" 2>/dev/null
		return 124
	fi
	wait "$1" 2>/dev/null
}
gone_or_zombie() { ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null; }

# as USER COMMAND…
as()
{
	local user=$1
	shift
	setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups -- "$@"
}

cleanup()
{
	local group
	exec 2>/dev/null # the shell's own words about what is killed here
	for group in ${groups_started[@]+"${groups_started[@]}"}; do
		kill -KILL -- "-$group" 2>/dev/null
	done
	wait 2>/dev/null
	if [ "${KW_KEEP:-0}" = 1 ]; then
		echo "# kept: $work"
	else
		rm -rf -- "$work"
	fi
}

# finish: the last line of every scenario.
finish()
{
	if [ "$skipped" -gt 0 ]; then
		echo "$passed passed, $failed failed, $skipped skipped"
	else
		echo "$passed passed, $failed failed"
	fi
	[ "$failed" -eq 0 ]
	exit
}

# skip_all REASON: the scenario cannot run here.
skip_all()
{
	skip "$*"
	finish
}

# scenario NAME [COMMAND…]: needs root (it starts servers under their own users) and these commands.
scenario()
{
	name=$1
	shift
	work=$(mktemp -d "${TMPDIR:-/tmp}/keyward-$name.XXXXXX")
	chmod 755 "$work"
	trap cleanup EXIT
	trap 'exit 130' HUP INT TERM
	[ "$(id -u)" = 0 ] || skip_all "$name: needs root, because the TEE and the servers run under different users"
	PATH=$PATH:/usr/sbin:/sbin
	local command
	for command in "$@"; do
		command -v "$command" >/dev/null || skip_all "$name: $command is not installed"
	done
	stage
}

# The product as it is installed, so that every user can reach it wherever the source tree lies.
stage()
{
	if [ -z "${KW_STAGE:-}" ]; then
		KW_STAGE=$work/stage
		if ! DESTDIR=$KW_STAGE meson install -C "$KW_BUILD" --no-rebuild --quiet >"$work/stage.log" 2>&1; then
			echo "# cannot install from $KW_BUILD"
			show_file "$work/stage.log"
			not_ok "the build installs"
			finish
		fi
	fi
	local lib
	lib=$(find "$KW_STAGE" -name 'libkeyward.so.0' -printf '%h\n' -quit)
	kw_modules=$(find "$KW_STAGE" -path '*/ossl-modules/keyward.so' -printf '%h\n' -quit)
	kw_engines=$(find "$KW_STAGE" -path '*/engines-3/keyward.so' -printf '%h\n' -quit)
	kw_teed=$(find "$KW_STAGE" -name keyward-teed -type f -perm -100 -print -quit)
	export LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	PATH=$KW_STAGE/usr/bin:$PATH
	export PATH
	plain_openssl_conf
}

# An openssl.cnf as packaging/openssl-keyward.cnf has it, with the path of the staged module. $OPENSSL_CONF for
# servers; the plain one for programs that have nothing to do with Keyward.
plain_openssl_conf()
{
	printf 'openssl_conf = init\n[init]\n' >"$work/plain.cnf"
	kw_conf=$work/openssl.cnf
	cat >"$kw_conf" <<-CNF
		openssl_conf = init
		[init]
		providers = providers
		[providers]
		default = default_provider
		keyward = keyward_provider
		[default_provider]
		activate = 1
		[keyward_provider]
		module = $kw_modules/keyward.so
		socket = $work/tee/tee.sock
		activate = 1
	CNF
	[ "$KW_FILE_KEYS" = 0 ] || cp "$work/plain.cnf" "$kw_conf"
	export OPENSSL_CONF=$work/plain.cnf
}

# --- A TEE of the scenario's own, as another user than every server ---

tee_user=daemon
tee_args=()

tee_answers() { keyward status; }

# tee_start [ARGUMENT…]: with store and socket in $work/tee. Sets $tee_pid.
tee_start()
{
	[ "$KW_FILE_KEYS" = 0 ] || return 0
	[ -d "$work/tee" ] || install -d -o "$tee_user" -g "$(id -g "$tee_user")" -m 755 "$work/tee"
	export KEYWARD_SOCKET=$work/tee/tee.sock
	spawn "$work/tee.log" setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- "$kw_teed" \
		--store "$work/tee/store" --socket "$KEYWARD_SOCKET" "${tee_args[@]}" "$@"
	tee_pid=$spawned
	wait_for 20 tee_answers
}

tee_stop() { [ "$KW_FILE_KEYS" != 0 ] || stop_process "$tee_pid" "${1:-TERM}"; }

# tee_restart [SIGNAL]: an orderly stop, or KILL.
tee_restart()
{
	[ "$KW_FILE_KEYS" = 0 ] || return 0
	tee_stop "${1:-TERM}"
	tee_start
}

# --- Keys and certificates ---

make_ca()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Keyward test CA' \
		-keyout "$work/ca.key" -out "$work/ca.pem" 2>/dev/null
}

# sign_request CSR CERTIFICATE: by the test CA, keeping the alternative names.
sign_request()
{
	openssl x509 -req -in "$1" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 30 \
		-copy_extensions copy -out "$2" 2>/dev/null
}

# file_key NAME TYPE: an ordinary key file $work/NAME.file.key and its certificate $work/NAME.file.pem.
file_key()
{
	local how
	case $2 in
	rsa-*) how=(-algorithm RSA -pkeyopt "rsa_keygen_bits:${2#rsa-}") ;;
	ed25519) how=(-algorithm ED25519) ;;
	ec-p*) how=(-algorithm EC -pkeyopt "ec_paramgen_curve:P-${2#ec-p}") ;;
	esac
	openssl genpkey "${how[@]}" -out "$work/$1.file.key" 2>/dev/null &&
		openssl req -new -key "$work/$1.file.key" -subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
			-out "$work/$1.file.csr" 2>/dev/null &&
		sign_request "$work/$1.file.csr" "$work/$1.file.pem"
}

# server_key NAME TYPE USER [PURPOSES]: a key in the TEE for that user, its certificate $work/NAME.pem, and what
# the server gets as its key file: $work/NAME.key.
server_key()
{
	if [ "$KW_FILE_KEYS" != 0 ]; then
		file_key "$1" "$2" && cp "$work/$1.file.pem" "$work/$1.pem" &&
			install -o "$3" -m 600 "$work/$1.file.key" "$work/$1.key"
		return
	fi
	keyward key generate "$1" --type "$2" --purpose "${4:-tls-server,csr}" --allow "user:$3" >/dev/null &&
		keyward key csr "$1" --subject "/CN=$1" --san "DNS:$1" -o "$work/$1.csr" >/dev/null &&
		sign_request "$work/$1.csr" "$work/$1.pem" &&
		keyward key pem "$1" -o "$work/$1.key" >/dev/null
}

# handshake PORT NAME 1.2|1.3 [ARGUMENT…]: one verified handshake, by a client that has no Keyward.
handshake()
{
	local port=$1 host=$2 version=$3
	shift 3
	timeout 20 openssl s_client -connect "127.0.0.1:$port" -servername "$host" -CAfile "$work/ca.pem" \
		-verify_return_error -verify_hostname "$host" "-tls${version/./_}" "$@" </dev/null
}

# no_crash LOG…: none of the words with which servers and libraries report one.
no_crash()
{
	! grep -Ei 'segfault|signal (4|6|7|8|11)\b|core dumped|double free|free\(\)|malloc\(\)|corrupt|sanitizer|stack smashing|assert' "$@"
}
