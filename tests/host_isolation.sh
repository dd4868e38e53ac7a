#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Nobody looks into the TEE: not its own user, and not root through the kernel's interfaces. And nobody who has taken it over
# gets out: system calls outside its list kill it, and files outside its store do not open.
. "$(dirname "$0")/lib.sh"
scenario host-isolation setpriv python3
tee_start || not_ok "the TEE starts"
nm -D "$kw_teed" | grep -q __asan && skip_all "a build with sanitizers has no sandbox"
check "a key to look for" keyward key generate target --type rsa-2048 --purpose sign

# --- From outside ---

install -m 755 "$KW_BUILD/tests/host_isolation" "$work/"
if command -v gcore >/dev/null; then
	refuse "gcore of the TEE's own user fails" "ptrace|not permitted|unable to attach|Could not attach" \
		as "$tee_user" gcore -o "$work/tee/core" "$tee_pid"
	equal "and leaves no file" "" "$(find "$work/tee" -name 'core*')"
else
	skip "gcore is not installed"
fi
as "$tee_user" "$work/host_isolation" "$tee_pid" >"$work/run.out"
grep -v ' passed, ' "$work/run.out"
read -r good bad <<<"$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$work/run.out")"
passed=$((passed + ${good:-0})) failed=$((failed + ${bad:-1}))

# Root reads what is not secret memory, so the reading works; and then what is.
cat >"$work/root.py" <<'PY'
import sys
pid = sys.argv[1]
secret = plain = leaked = 0
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
    for line in maps:
        span, rights, rest = line.split(None, 2)
        if "r" not in rights or "[v" in rest:
            continue
        hidden = "secretmem" in rest
        secret += hidden
        try:
            mem.seek(int(span.split("-")[0], 16))
            mem.read(64)
        except OSError:
            continue
        leaked += hidden
        plain += not hidden
print(secret, plain, leaked)
PY
read -r secret plain leaked <<<"$(python3 "$work/root.py" "$tee_pid")"
if keyward status | grep -q 'the kernel.s interfaces do not reach'; then
	check "the TEE has secret memory ($secret maps), and root reads other memory of it ($plain)" [ "$secret" -gt 3 ] && [ "$plain" -gt 3 ]
	equal "root reads none of the secret memory" 0 "$leaked"
else
	skip "this kernel has no memfd_secret"
fi

# A crash leaves no core. The signal comes from its own user, who may kill it.
equal "the limit on core dumps is 0 for good" "0 0" "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$tee_pid/limits")"
equal "no thread has capabilities" "0000000000000000" "$(cat /proc/"$tee_pid"/task/*/status | awk '/^Cap(Prm|Eff|Inh|Amb)/ { print $2 }' | sort -u)"
equal "all threads have a filter of system calls, and can gain no privileges" "1 2" \
	"$(cat /proc/"$tee_pid"/task/*/status | awk '/^NoNewPrivs|^Seccomp:/ { print $2 }' | sort -u | xargs)"
equal "nothing is left of its environment" 0 "$(tr -d '\0' <"/proc/$tee_pid/environ" | wc -c)"

# --- From inside ---

hook=$KW_BUILD/tests/keyward-teed-hook
install -m 755 "$hook" "$KW_BUILD/tests/host_escape" "$work/"
mkdir "$work/hook" && chown "$tee_user" "$work/hook"
echo secret >"$work/hook/outside" && chown "$tee_user" "$work/hook/outside"

hook_start()
{
	spawn "$work/hook.log" setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- \
		"$work/keyward-teed-hook" --store "$work/hook/store" --socket "$work/hook/sock"
	hook_pid=$spawned
	wait_for 20 env KEYWARD_SOCKET="$work/hook/sock" keyward status
}
escape() { "$work/host_escape" "$work/hook/sock" "$@"; }
number() { python3 - "$1" <<'PY'
import ctypes, sys
seccomp = ctypes.CDLL("libseccomp.so.2")
print(seccomp.seccomp_syscall_resolve_name(sys.argv[1].encode()))
PY
}

hook_start || not_ok "a TEE that was taken over starts"
getpid=$(number getpid) openat=$(number openat)
equal "the way to make calls works: getpid" "result $hook_pid" "$(escape "$getpid" 255 '')"
for path in "$work/hook/outside" /etc/passwd /proc/self/maps /dev/null; do
	equal "open $path: no permission" "result -13" "$(escape "$openat" 1 "$path" -100 0 0 0)"
done
equal "make $work/hook/new: no permission" "result -13" "$(escape "$openat" 1 "$work/hook/new" -100 0 65 384)"
check "open the store's own log works" sh -c '[ "$1" != "${1#result [0-9]}" ]' sh "$(escape "$openat" 1 "$work/hook/store/log" -100 0 0 0)"
check "that one lives" alive "$hook_pid"

# dies NAME ARGUMENT…: by SIGSYS, as a whole, without a core.
dies()
{
	local what=$1 nr answer status
	nr=$(number "$1")
	shift
	[ "$nr" -ge 0 ] || return 0
	answer=$(escape "$nr" "$@")
	wait_for 10 gone_or_zombie "$hook_pid" && wait "$hook_pid" 2>/dev/null
	status=$?
	if [ "$answer" = died ] && [ "$status" = $((128 + $(kill -l SYS))) ]; then
		ok "$what ends the TEE"
	else
		not_ok "$what ends the TEE: $answer, status $status"
	fi
	hook_start || not_ok "it starts again"
}
dies execve 0 /bin/sh 0 0 0
dies fork 255 ''
dies vfork 255 ''
dies clone 255 '' 17 0 0 0 0
dies clone3 255 '' 0 0
dies socket 255 '' 1 1 0
dies connect 255 '' 0 0 0
dies bind 255 '' 0 0 0
dies sendto 255 '' 2 0 0 0 0 0
dies sendmsg 255 '' 2 0 0
dies recvmsg 255 '' 2 0 0
dies open 0 /etc/passwd 0 0
dies ptrace 255 '' 0 0 0 0
dies process_vm_readv 255 '' 1 0 0 0 0 0
dies kill 255 '' "$$" 0
dies tgkill 255 '' "$$" "$$" 0
dies setuid 255 '' 0
dies prctl 255 '' 4 1 0 0 0
dies mmap 255 '' 0 4096 7 34 -1 0
dies mprotect 255 '' 0 4096 5
dies ioctl 255 '' 0 0 0
dies io_uring_setup 255 '' 8 0
dies bpf 255 '' 0 0 0
dies unshare 255 '' 268435456
dies mount 255 '' 0 0 0 0 0
dies chmod 0 / 511
dies link 255 '' 0 0
dies symlink 255 '' 0 0
dies memfd_create 0 x 0
dies userfaultfd 255 '' 0
dies perf_event_open 255 '' 0 0 0 0 0
dies add_key 255 '' 0 0 0 0 0
dies seccomp 255 '' 0 0 0
dies setrlimit 255 '' 4 0
dies dup2 255 '' 0 1
dies getsockopt 255 '' 0 6 0 0 0

# A core of its own user's SIGSEGV.
kill -SEGV "$tee_pid"
wait_for 10 gone_or_zombie "$tee_pid" && wait "$tee_pid" 2>/dev/null
equal "SIGSEGV ends the TEE" $((128 + 11)) $?
# The TEE runs in the root directory.
equal "without a core dump" "" "$(find / "$work/tee" -maxdepth 1 -type f -name 'core*' -newer "$work/root.py")"
finish
