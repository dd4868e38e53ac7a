#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tools/qemu/run: what the command says and returns arrives, a board that does not boot is reported, storage stays, a
# power cut takes what was not flushed, and nothing stays behind.
# usage: KW_QEMU_BUILD=build-qemu tests/optee_tools.sh     after tools/qemu/build
. "$(dirname "$0")/lib.sh"
name=optee-tools
work=$(mktemp -d "${TMPDIR:-/tmp}/keyward-$name.XXXXXX")
trap cleanup EXIT
trap 'exit 130' HUP INT TERM
built=${KW_QEMU_BUILD:-$top/build-qemu}

# board ARGUMENT…: output in $work/out and $work/err
board()
{
	"$top/tools/qemu/run" --no-build --share "$work/share" --logs "$work/logs" "$@" >"$work/out" 2>"$work/err"
}

no_qemu() { ! pgrep -f "$work/logs/secure.log"; }
has() { grep -q -- "$1" "$2"; }

# Numbers, and a last line without its end; words that the shell would split
board --timeout 60 sh -c 'seq 1 200000; printf "%s" "$1"; echo said >&2; exit 7' sh '  two  words '
equal "the exit status is the command's" 7 $?
equal "all of its output arrives" "$(seq 1 200000; printf '  two  words ')" "$(cat "$work/out")"
check "what it says on the other stream too" has '^said$' "$work/err"
equal "and nothing of the kernel" 2/2 "$(grep -c -e '^said$' -e '^tools/qemu/run: status 7' "$work/err")/$(wc -l <"$work/err")"

# A command that leaves a process with its output open, and a file for the host
mkdir -p "$work/share"
echo word >"$work/share/from-host"
board --timeout 60 sh -c 'sleep 1000 & cp /etc/group /share/group; cat /share/from-host'
equal "a process left running holds nothing up" 0 $?
check "the board sees what the host wrote" has '^word$' "$work/out"
check "the host sees what the board wrote" has '^teeclnt:' "$work/share/group"

# A file system that is cut short; where it says so
mkdir "$work/bad"
head -c 300000 "$built/initrd" >"$work/bad/initrd"
KW_QEMU_BUILD=$work/bad board true
equal "a board that does not boot gives status 125" 125 $?
check "it says so" has 'the board ended before its first process' "$work/err"
check "and shows where the kernel ended" has 'panic' "$work/err"
check "the secure world's log is kept" test -s "$work/logs/secure.log"
board --timeout 2 sleep 1000
equal "a command that hangs gives status 125" 125 $?
check "and is named" has "no sign of the command's end" "$work/err"
board --timeout 60 poweroff -f
equal "so does a board that powers off on its own" 125 $?

# Storage
board --disk "$work/disk" --write-cache sh -c 'echo kept >/disk/kept && sync'
equal "a new disk is made" 0 $?
spawn "$work/cut" "$top/tools/qemu/run" --no-build --logs "$work/logs" --disk "$work/disk" --write-cache \
	sh -c 'cat /disk/kept; echo flushed >/disk/flushed; sync; echo cached >/disk/cached; echo now; sleep 1000'
check "it has what an earlier run left" wait_for 100 has '^kept$' "$work/cut"
check "the command gets there" wait_for 60 has '^now$' "$work/cut"
stop_process "$spawned"
equal "a power cut ends with the signal's status" 143 $?
check "and QEMU with it" no_qemu
board --disk "$work/disk" sh -c 'cat /disk/flushed; cat /disk/cached 2>/dev/null; true'
equal "what was flushed is there, what was not is lost" flushed "$(cat "$work/out")"

# The network: only what is forwarded
spawn "$work/serve" "$top/tools/qemu/run" --no-build --logs "$work/logs" --forward 80 --ports "$work/ports" \
	nc -l -p 80 -e echo hello
check "a forwarded port is named" wait_for 100 test -s "$work/ports"
address=$(sed -n 's/^80 //p' "$work/ports")
say_hello() { timeout 5 bash -c "cat </dev/tcp/${address%:*}/${address#*:}" | grep -q hello; }
check "and reaches the board" wait_for 30 say_hello
# Killed without a chance to clean up
kill -KILL "$spawned" 2>/dev/null
check "QEMU ends when what started it is killed" wait_for 10 no_qemu
finish
