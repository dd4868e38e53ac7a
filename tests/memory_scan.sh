#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tools/memory-scan finds a key in each form in which a process may hold it, and none that is not there.
. "$(dirname "$0")/lib.sh"
scenario memory-scan python3 openssl

for type in ec-p256 rsa-2048 ed25519; do
	make_ca
	file_key "held-$type" "$type"
	file_key "other-$type" "$type"
	for form in big little words hex base64 pem der; do
		: >"$work/holder"
		spawn "$work/holder" python3 -c '
import base64, os, subprocess, sys, time
path, form = sys.argv[1:]
def run(*a):
    return subprocess.run(["openssl", "pkey", "-in", path, *a], capture_output=True).stdout
import re
text = run("-noout", "-text").decode()
block = re.search(r"^(?:priv|prime1):[^\n]*\n((?:[ \t]+[0-9a-f:]+\n)+)", text, re.M).group(1)
number = bytes.fromhex(re.sub(r"[\s:]", "", block)).lstrip(b"\0")
del text, block
kept = {"big": lambda: number, "little": lambda: number[::-1], "hex": lambda: number.hex().encode(),
        "words": lambda: b"".join(reversed([number[i:i + 8] for i in range(0, len(number), 8)])),
        "base64": lambda: base64.encodebytes(b"x" + number), "pem": lambda: open(path, "rb").read(),
        "der": lambda: run("-outform", "DER")}[form]()
# Only the wanted form lives on: in a new process image, handed over by a pipe.
r, w = os.pipe()
os.write(w, kept)
os.close(w)
os.dup2(r, 0)
os.execvp("python3", ["python3", "-c", "import sys, time; kept = sys.stdin.buffer.read(); print(1, flush=True); time.sleep(600)"])
' "$work/held-$type.file.key" "$form"
		holder=$spawned
		wait_for 20 grep -q 1 "$work/holder"
		"$top/tools/memory-scan" "$work/held-$type.file.key" "$holder" >"$work/scan" 2>&1
		equal "the $type key held as $form is found" 1 $?
		"$top/tools/memory-scan" "$work/other-$type.file.key" "$holder" >"$work/scan" 2>&1
		equal "another $type key is not" 0 $?
		stop_process "$holder" KILL
	done
	# Across the pieces in which a dump is read, and among the zeros of memory that was never used
	for at in 0 65520 131072; do
		openssl pkey -in "$work/held-$type.file.key" -outform DER -out "$work/der" 2>/dev/null
		truncate -s 0 "$work/dump"
		truncate -s 300000 "$work/dump"
		dd if="$work/der" of="$work/dump" bs=1 seek="$at" conv=notrunc 2>/dev/null
		"$top/tools/memory-scan" "$work/held-$type.file.key" --dump "$work/dump" >"$work/scan" 2>&1
		equal "the $type key is found at $at of a dump" 1 $?
		"$top/tools/memory-scan" "$work/other-$type.file.key" --dump "$work/dump" >"$work/scan" 2>&1
		equal "another $type key is not in it" 0 $?
	done
done
"$top/tools/memory-scan" "$work/held-ec-p256.file.key" --dump "$work/none" >"$work/scan" 2>&1
equal "a dump that is not there is not a clean one" 2 $?
finish
