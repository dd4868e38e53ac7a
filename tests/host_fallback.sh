#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Machines that lack something: the TEE works all the same, and status says what is missing.
. "$(dirname "$0")/lib.sh"
scenario host-fallback setpriv python3
nm -D "$kw_teed" | grep -q __asan && skip_all "a build with sanitizers has no sandbox"

# deny.py CALL… -- COMMAND…: runs a command for which these system calls do not exist.
cat >"$work/deny.py" <<'PY'
import ctypes, errno, os, sys
calls, command = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
lib = ctypes.CDLL("libseccomp.so.2")
lib.seccomp_init.restype = ctypes.c_void_p
lib.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
lib.seccomp_load.argtypes = [ctypes.c_void_p]
ALLOW, ERRNO = 0x7fff0000, 0x00050000
ctx = lib.seccomp_init(ALLOW)
for name in calls:
    number = lib.seccomp_syscall_resolve_name(name.encode())
    assert lib.seccomp_rule_add(ctx, ERRNO | errno.ENOSYS, number, 0) == 0, name
assert lib.seccomp_load(ctx) == 0
os.execvp(command[0], command)
PY

state() { keyward status --json | python3 -c '
import json, sys
for p in json.load(sys.stdin)["protections"]:
    if p["id"] == sys.argv[1]:
        print(p["state"], p["sentence"])' "$1"; }

# lacks WHAT PROTECTION STATE PATTERN COMMAND…: the TEE, started by the command, works and reports.
lacks()
{
	local what=$1 protection=$2 expected=$3 pattern=$4
	shift 4
	export KEYWARD_SOCKET=$work/tee/tee.sock
	[ -d "$work/tee" ] || install -d -o "$tee_user" -g "$(id -g "$tee_user")" -m 755 "$work/tee"
	spawn "$work/tee.log" "$@" setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- \
		"$kw_teed" --store "$work/tee/store" --socket "$KEYWARD_SOCKET"
	tee_pid=$spawned
	check "$what: it starts" wait_for 20 tee_answers
	state "$protection" >"$work/state"
	check "$what: status says $expected: $protection" grep -E "^$expected .*($pattern)" "$work/state"
	check "$what: keys are made" keyward key generate key --type rsa-2048 --purpose sign
	check "$what: keys are used" keyward key csr key --subject /CN=a.example -o "$work/csr" --force
	check "$what: keys are deleted" keyward key delete key --yes
	tee_stop
	equal "$what: it ends in order" 0 $?
}

lacks "nothing" secret-memory present "not even for root" env
lacks "no memfd_secret" secret-memory partial "memfd_secret" python3 "$work/deny.py" memfd_secret --
lacks "no locked memory" secret-memory absent "ulimit -l" setpriv --bounding-set=-ipc_lock prlimit --memlock=0 --
lacks "no locked memory" memory-lock absent "ulimit -l" setpriv --bounding-set=-ipc_lock prlimit --memlock=0 --
lacks "little locked memory" secret-memory partial "stacks .*ulimit -l" prlimit --memlock=3145728 --
lacks "no Landlock" landlock absent "Landlock" python3 "$work/deny.py" landlock_create_ruleset --
lacks "no seccomp" seccomp absent "CONFIG_SECCOMP_FILTER" python3 "$work/deny.py" seccomp --
finish
