#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The documents say what the sources have: sentences about OP-TEE, names of files and options, functions of a platform.
. "$(dirname "$0")/lib.sh"
scenario docs python3
cat >"$work/sentences.py" <<'PY'
"""Each `sentence` of the last table in docs/OPTEE.md is one that the client says, and each that it says of OP-TEE is there."""
import re, sys
top = sys.argv[1]
optee = ["explain_optee.c", "transport_optee.c", "optee_carrier.c", "tee_client.c"]
LITERAL = r'"(?:[^"\\]|\\.)*"'
CALL = re.compile(r"\bexplain\([^;\"]*(" + LITERAL + r"(?:\s*" + LITERAL + ")*)")

def sentences(name):
    """As a person reads them, with … for what varies. A choice between two words varies too."""
    text = re.sub(r"/\*.*?\*/", "", open(f"{top}/client/{name}", encoding="utf-8").read(), flags=re.S)
    for literals in CALL.findall(text):
        joined = "".join(literal[1:-1] for literal in re.findall(LITERAL, literals))
        yield re.sub(r"%[-0-9.*]*[a-z]+", "…", joined.replace('\\"', '"'))

def fits(said, sentence):
    at = 0
    for piece in said.split("…"):
        at = sentence.find(piece.strip(), at)
        if at < 0:
            return False
    return True

table = open(f"{top}/docs/OPTEE.md", encoding="utf-8").read().split("| it says |")[1]
rows = [s for line in table.splitlines() if line.startswith("| ") for s in re.findall(r"`([^`]*)`", line.split("|")[1])]
own = [s for name in optee for s in sentences(name)]
known = own + list(sentences("explain.c"))
bad = [f"nobody says: {r}" for r in rows if not any(fits(r, s) for s in known)]
# Said when memory is short in a way that no table helps with.
bad += [f"not in the table: {s}" for s in own if not any(fits(r, s) for r in rows) and "there is no memory for" not in s]
print(*bad, f"{len(rows)} in the table, {len(own)} in the sources", sep="\n")
sys.exit(bool(bad) or len(rows) < 20 or len(own) < 15)
PY
check "docs/OPTEE.md explains what the client says of OP-TEE" python3 "$work/sentences.py" "$top"

uuid=$(sed -n 's/^.define OPTEE_TA_UUID_TEXT "\(.*\)"/\1/p' "$top/wire/optee.h")
check "it installs the file that is built" grep -q "build-ta/$uuid.ta " "$top/docs/OPTEE.md"
for variable in TA_DEV_KIT_DIR SYSROOT TA_SIGN_KEY KEYWARD_CREATORS KEYWARD_CRYPTO_INSTRUCTIONS; do
	check "$variable is one of tee/optee's" grep -rqw "$variable" "$top/tee/optee/Makefile"
	check "and described" grep -q "[ \`]$variable=" "$top/docs/OPTEE.md"
done
rule=$top/packaging/60-keyward-optee.rules
equal "the rule's group is the one that a refused user is told of" \
	"$(grep -ohE 'GROUP=\\"[a-z]+' "$top/client/explain_optee.c" | sed 's/\\//')" "$(sed -nE '/"tee\[/s/.*(GROUP="[a-z]+).*/\1/p' "$rule")"
if command -v systemd-analyze >/dev/null; then
	mkdir -p "$work/units/tee-supplicant.service.d"
	printf '[Unit]\nDescription=TEE Supplicant\n[Service]\nExecStart=/bin/true\n' >"$work/units/tee-supplicant.service"
	cp "$top/packaging/tee-supplicant-keyward.conf" "$work/units/tee-supplicant.service.d/keyward.conf"
	systemd-analyze verify "$work/units/tee-supplicant.service" 2>&1 | grep tee-supplicant >"$work/verify"
	check "systemd finds nothing wrong with tee-supplicant's drop-in" [ ! -s "$work/verify" ]
	show_file "$work/verify"
else
	skip "systemd-analyze is not installed"
fi

# Every function that a new TEE has to bring is in the document about it.
grep -ohE '\b(platform|storage|crypto|hash)_[a-z0-9_]+\(' "$top/core/platform.h" "$top/core/crypto.h" | tr -d '(' | sort -u >"$work/functions"
check "the headers' functions are found" [ "$(wc -l <"$work/functions")" -ge 40 ]
while read -r function; do
	grep -qF "\`$function\`" "$top/docs/NEW-TEE.md" || not_ok "docs/NEW-TEE.md has $function"
done <"$work/functions"
# In backquotes, and not with a letter that stands for a name.
# shellcheck disable=SC2016
grep -ohE '`(docs|tests|core|client|wire|tee|tools|bench|packaging|cli|include|fuzz|frontends)/[A-Za-z0-9_./-]+`' \
	"$top"/docs/*.md "$top/README.md" | tr -d '`' | grep -vE '/x/|_x[.]' | sort -u >"$work/paths"
while read -r path; do
	[ -e "$top/$path" ] || not_ok "$path, which a document names, is there"
done <"$work/paths"
[ "$failed" -ne 0 ] || ok "functions and files that the documents name are there"
finish
