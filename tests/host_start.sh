#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How keyward-teed starts and ends: what it makes, what it refuses and why, and what it leaves behind.
. "$(dirname "$0")/lib.sh"
scenario host-start setpriv
home=$work/home
install -d -o "$tee_user" -g "$(id -g "$tee_user")" -m 755 "$home"
export KEYWARD_SOCKET=$home/run/tee.sock
store=$home/store
started=()

teed() { as "$tee_user" "$kw_teed" "$@"; }
start() { teed --store "$store" --socket "$KEYWARD_SOCKET" --daemon "$@" && running "$store"; }
# running STORE: the process that uses it, which the end of this scenario ends.
running()
{
	tee_pid=$(for p in /proc/[0-9]*; do
		tr '\0' ' ' <"$p/cmdline" | grep -q -- "keyward-teed --store $1 " && echo "${p#/proc/}"
	done 2>/dev/null | head -n 1)
	started+=("$tee_pid")
	[ -n "$tee_pid" ]
}
stop()
{
	kill "$tee_pid" && wait_for 20 gone "$tee_pid"
}
end()
{
	local pid
	for pid in ${started[@]+"${started[@]}"}; do
		! alive "$pid" || kill -KILL "$pid"
	done
	cleanup
}
trap end EXIT

# --- The command line ---

for bad in "" "--store $store" "--socket $KEYWARD_SOCKET" "--store $store --socket s more" "--nonsense" "--store"; do
	# shellcheck disable=SC2086
	"$kw_teed" $bad >"$work/out" 2>&1
	equal "'$bad' is a wrong command line" 2 $?
	check "and it says what to do" grep -q -- "--help" "$work/out"
done
for bad in "--admin root" "--creator user:nobody-has-this-name" "--socket-mode 999" "--socket-mode 0888" "--cache-mib x" \
	"--idle-exit -1" "--user nobody-has-this-name"; do
	# shellcheck disable=SC2086
	refuse "$bad is refused" "^keyward-teed: .*'" "$kw_teed" --store "$store" --socket s $bad
done
check "--help" sh -c '"$1" --help | grep -q "^usage:"' sh "$kw_teed"
equal "--version" "keyward-teed $(keyward --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)" "$("$kw_teed" --version)"
check "nothing was made" test ! -e "$store"

# --- A first start ---

check "it goes to the background once it answers" start
check "and then it answers" keyward status
equal "the store is closed to others" "700 $tee_user" "$(stat -c '%a %U' "$store")"
equal "the secret beside it as well, and has 32 bytes" "600 32 $tee_user" "$(stat -c '%a %s %U' "$store.secret")"
equal "the socket is open to everybody" 666 "$(stat -c %a "$KEYWARD_SOCKET")"
equal "it has left the terminal and the directory" "/ $tee_pid" "$(readlink "/proc/$tee_pid/cwd") $(ps -o sid= -p "$tee_pid" | tr -d ' ')"
equal "and holds on to no output" "/dev/null /dev/null $store.log" \
	"$(for fd in 0 1 2; do readlink "/proc/$tee_pid/fd/$fd"; done | xargs)"
check "a key" keyward key generate first --type ec-p256 --purpose sign
check "another user may connect" as nobody env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" KEYWARD_SOCKET="$KEYWARD_SOCKET" \
	"$(command -v keyward)" status

# --- Only one ---

refuse "a second TEE on the store is refused" "another process has it open" \
	teed --store "$store" --socket "$home/other.sock" --daemon
check "and has made no socket" test ! -e "$home/other.sock"
refuse "a TEE with another store on the socket is refused" "another TEE answers on $KEYWARD_SOCKET" \
	teed --store "$home/other" --socket "$KEYWARD_SOCKET" --daemon
check "the first still answers" keyward key show first
kill -HUP "$tee_pid"
check "SIGHUP changes nothing" keyward key show first
check "SIGTERM ends it" stop
check "and its socket is gone" test ! -e "$KEYWARD_SOCKET"

# --- What a crash leaves ---

check "it starts again" start
check "with its key" keyward key show first
kill -KILL "$tee_pid"
wait_for 20 gone "$tee_pid"
check "killed, it leaves its socket" test -S "$KEYWARD_SOCKET"
check "which the next one replaces" start
check "and the key is there" keyward key show first
stop

# --- The secret ---

mv "$store.secret" "$home/kept"
refuse "without its secret a store with keys is not opened" "secret $store.secret is missing.*restore it" \
	teed --store "$store" --socket "$KEYWARD_SOCKET" --daemon
check "and no other secret is made" test ! -e "$store.secret"
head -c 32 /dev/urandom >"$store.secret" && chown "$tee_user" "$store.secret" && chmod 600 "$store.secret"
refuse "another device's secret is told apart" "another device|other device" \
	teed --store "$store" --socket "$KEYWARD_SOCKET" --daemon
cp "$home/kept" "$store.secret"
for mode in 640 604 660 620; do
	chmod "$mode" "$store.secret"
	refuse "a secret with mode $mode is refused" "others can read .*chmod 600" \
		teed --store "$store" --socket "$KEYWARD_SOCKET" --daemon
done
chmod 600 "$store.secret"
mv "$store.secret" "$home/elsewhere"
check "the secret may be elsewhere" start --device-secret "$home/elsewhere"
check "the key opens" keyward key csr first --subject /CN=a.example -o "$work/first.csr"
stop

# --- Places that will not do ---

touch "$home/file" && chown "$tee_user" "$home/file"
refuse "a file in the place of the socket stays" "is not a socket" \
	teed --store "$home/other" --socket "$home/file" --daemon
check "it is still a file" test -f "$home/file"
refuse "a path that is too long for a socket" "may have 107" \
	teed --store "$home/other" --socket "$home/$(printf '%0110d' 0)" --daemon
mkdir -m 755 "$home/open" && chown "$tee_user" "$home/open"
refuse "a store that others may read is refused" "chmod" teed --store "$home/open" --socket "$KEYWARD_SOCKET" --daemon
refuse "a store of somebody else is refused" "belong|another user|owner|Permission" \
	teed --store /root --socket "$KEYWARD_SOCKET" --daemon

# --- Options ---

check "it starts with a mode" start --device-secret "$home/elsewhere" --socket-mode 0600
equal "the socket has the mode" 600 "$(stat -c %a "$KEYWARD_SOCKET")"
stop
check "it starts with an idle time" start --device-secret "$home/elsewhere" --idle-exit 3
check "it ends by itself when nobody is connected" wait_for 30 gone "$tee_pid"
check "and its socket is gone" test ! -e "$KEYWARD_SOCKET"
nobody() { as nobody env LD_LIBRARY_PATH="$LD_LIBRARY_PATH" KEYWARD_SOCKET="$KEYWARD_SOCKET" "$(command -v keyward)" "$@"; }
check "it starts with a creator" start --device-secret "$home/elsewhere" --creator user:nobody
check "who may create" nobody key generate his --type ec-p256 --purpose sign
refuse "and not administer" "." nobody key delete first --yes
stop
check "it starts with an administrator by group" start --device-secret "$home/elsewhere" --admin "group:$(id -gn nobody)"
check "who may administer" nobody key delete first --yes
stop

# As root it becomes who it is told to.
root=$work/root
install -d -m 755 "$root"
check "started as root it becomes --user" "$kw_teed" --store "$root/store" --socket "$root/run/sock" --user "$tee_user" --daemon
running "$root/store"
equal "in every way" "$(printf '%s %s %s %s' "$(id -u "$tee_user")"{,,,})" "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$tee_pid/status")"
equal "without the groups of root" "" "$(awk '/^Groups:/ { $1 = ""; print }' "/proc/$tee_pid/status" | tr -d ' ')"
equal "its store is that user's" "$tee_user" "$(stat -c %U "$root/store")"
equal "its log too" "$tee_user" "$(stat -c %U "$root/store/log")"
equal "the secret is out of its reach" root "$(stat -c %U "$root/store.secret")"
check "it answers" env KEYWARD_SOCKET="$root/run/sock" keyward status
stop
finish
