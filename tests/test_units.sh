#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The systemd units: correct, and closed as far as systemd can close them.
. "$(dirname "$0")/lib.sh"
scenario units systemd-analyze
units=$(dirname "$(find "$KW_STAGE" -name keyward-teed.service)")
# The paths inside are those of an installed system: look at the units in a root where they are.
security=$(systemd-analyze security --offline=true "$units/keyward-teed.service" 2>&1)
exposure=$(sed -nE 's/.*Overall exposure level for [^:]*: ([0-9]+\.[0-9]+).*/\1/p' <<<"$security")
check "the exposure is at most 1.0: ${exposure:-unknown}" awk -v e="${exposure:-9}" 'BEGIN { exit !(e <= 1.0) }'
[ "$failed" -eq 0 ] || grep '✗' <<<"$security" | sed 's/^/#   /'

program=$(sed -nE 's/^ExecStart=([^ ]+).*/\1/p' "$units/keyward-teed.service")
check "the service starts what is installed: $program" test -x "$KW_STAGE$program"
mkdir "$work/units"
sed "s|^ExecStart=[^ ]*|ExecStart=$KW_STAGE$program|; /^Documentation=/d" "$units/keyward-teed.service" >"$work/units/keyward-teed.service"
sed '/^Documentation=/d' "$units/keyward-teed.socket" >"$work/units/keyward-teed.socket"
systemd-analyze verify "$work/units/keyward-teed.service" "$work/units/keyward-teed.socket" 2>&1 | grep keyward >"$work/verify"
check "systemd finds nothing wrong with them" [ ! -s "$work/verify" ]
show_file "$work/verify"

# Each option of the service is one that the program has.
for option in $(sed -nE 's/^ExecStart=[^ ]+ //p' "$units/keyward-teed.service" | grep -oE -- '--[a-z-]+'); do
	check "the program has the option $option" sh -c '"$1" --help | grep -q -- "$2 "' sh "$kw_teed" "$option"
done
# The manual and --help name the same options.
manual=$(find "$KW_STAGE" -name 'keyward-teed.8*')
equal "keyward-teed(8) has the options of --help" "$("$kw_teed" --help | grep -oE '^  --[a-z-]+' | tr -d ' ' | sort)" \
	"$(sed -nE 's/^\.It Fl -([a-z-]+).*/--\1/p' "$manual" | sort)"

if command -v systemd-sysusers >/dev/null; then
	mkdir -p "$work/root/etc"
	check "users are made" systemd-sysusers --root="$work/root" "$(find "$KW_STAGE" -path '*/sysusers.d/keyward.conf')"
	check "the user and group that the service names are among them" sh -c \
		'grep -q ^keyward: "$1/etc/passwd" && grep -q ^keyward-admin: "$1/etc/group"' sh "$work/root"
	check "directories are made" systemd-tmpfiles --root="$work/root" --create "$(find "$KW_STAGE" -path '*/tmpfiles.d/keyward.conf')"
	equal "the keys' directory is closed to others" 700 "$(stat -c %a "$work/root/var/lib/keyward")"
else
	skip "systemd-sysusers is not installed"
fi

# Socket activation and notification, as systemd does them.
if command -v systemd-socket-activate >/dev/null; then
	mkdir "$work/tee" && chown "$tee_user" "$work/tee"
	export KEYWARD_SOCKET=$work/tee/tee.sock
	# It becomes the TEE when the first client comes.
	spawn "$work/activate.log" setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- systemd-socket-activate --seqpacket -l "$KEYWARD_SOCKET" "$kw_teed" --store "$work/tee/store"
	wait_for 10 test -S "$KEYWARD_SOCKET"
	chmod 666 "$KEYWARD_SOCKET"
	check "a TEE that is started by its socket answers" keyward status
	stop_process "$spawned"
	equal "it ends with 0" 0 $?
	check "and leaves the socket of systemd" test -S "$KEYWARD_SOCKET"
else
	skip "systemd-socket-activate is not installed"
fi
cat >"$work/notify.py" <<'PY'
import os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(30)
tee = subprocess.Popen(sys.argv[2:], env={**os.environ, "NOTIFY_SOCKET": sys.argv[1]})
first = s.recv(100).decode()
tee.terminate()
print(first, s.recv(100).decode(), tee.wait())
PY
equal "systemd is told that it is ready, and that it stops" "READY=1 STOPPING=1 0" \
	"$(python3 "$work/notify.py" "$work/notify" "$kw_teed" --store "$work/store" --socket "$work/sock" 2>"$work/notify.log")"
finish
