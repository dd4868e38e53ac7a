#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Tokens with PINs, with the tools that people have: pkcs11-tool, p11tool, and the command line.
# shellcheck disable=SC2016  # what is quoted is for another shell
. "$(dirname "$0")/lib.sh"
scenario tokens pkcs11-tool p11tool openssl
module=$(find "$KW_STAGE" -name keyward-pkcs11.so -print -quit)
[ -n "$module" ] || skip_all "tokens: the module was not built: libp11-kit-dev is missing"
tee_start || not_ok "the TEE starts"

tool() { pkcs11-tool --module "$module" "$@"; }
at() { tool --slot "$slot" "$@"; }
says() { grep -qE -- "$1" "$work/out"; }
run() { "$@" >"$work/out" 2>&1; }
so=87654321 pin=4711
slot=1

# --- A token is made ---

run tool -L
check "a slot waits for a token" says 'uninitialized'
check "pkcs11-tool makes one" at --init-token --label "first token" --so-pin $so
run tool -L
check "it is in the list, with its label" says 'token label +: first token'
check "and asks for a login" says 'login required'
equal "and the next free slot is there" 3 "$(grep -c '^Slot' "$work/out")"
refuse "nobody logs in before there is a user's PIN" 'USER_PIN_NOT_INITIALIZED' at --login --pin $pin -O
refuse "a wrong SO PIN sets none" 'PIN_INCORRECT' at --login --login-type so --so-pin 11111111 --init-pin --pin $pin
check "the security officer sets it" at --login --login-type so --so-pin $so --init-pin --pin $pin
refuse "who is not on the list cannot even try" 'C_Login failed: .*CKR_FUNCTION_FAILED' \
	as nobody pkcs11-tool --module "$module" --slot $slot --login --pin $pin -O

# --- Keys on it ---

refuse "no key is made without the PIN" 'USER_NOT_LOGGED_IN' \
	at --keypairgen --key-type EC:prime256v1 --label none --id 09
check "a key is made with it" at --login --pin $pin --keypairgen --key-type EC:prime256v1 --label mine --id 01
check "and an RSA key" at --login --pin $pin --keypairgen --key-type rsa:2048 --label rsa --id 02
run at -O
check "without the PIN its public key is there" says 'Public Key Object'
equal "and no private key" 0 "$(grep -c 'Private Key Object' "$work/out")"
run at --login --pin $pin -O
equal "with the PIN both are" 2 "$(grep -c 'Private Key Object' "$work/out")"
run tool --slot 0 -O
equal "the default token has none of them" 0 "$(grep -c 'Key Object' "$work/out")"
echo "some data" >"$work/data"
check "it signs" at --login --pin $pin --sign --id 01 --mechanism ECDSA-SHA256 --signature-format openssl \
	--input-file "$work/data" --output-file "$work/sig"
at --read-object --type pubkey --id 01 --output-file "$work/01.der" >/dev/null 2>&1
check "OpenSSL verifies it" openssl dgst -sha256 -verify <(openssl pkey -pubin -inform DER -in "$work/01.der") \
	-signature "$work/sig" "$work/data"
check "a certificate is stored" sh -c "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc \
	-keyout '$work/k.pem' -subj /CN=t -outform DER -out '$work/c.der' 2>/dev/null &&
	pkcs11-tool --module '$module' --slot 1 --login --pin $pin --write-object '$work/c.der' --type cert --label c --id 07"
run at -O
check "and everybody sees it" says 'Certificate Object'
check "private data is stored" at --login --pin $pin --write-object "$work/data" --type data --label hidden --private
run at -O
equal "which nobody sees without the PIN" 0 "$(grep -c hidden "$work/out")"
run at --login --pin $pin -O
check "and the user does" says "label: +'?hidden"
check "the module's own test with this token" at --login --pin $pin --test
run p11tool --provider "$module" --list-tokens
check "p11tool lists the token" says 'token=first%20token'
run env GNUTLS_PIN=$pin p11tool --provider "$module" --login --list-privkeys \
	"$(grep -o 'pkcs11:.*first%20token' "$work/out" | head -1)"
check "and its private keys" says 'object=mine'

# --- Another PIN ---

check "the user changes the PIN" at --login --pin $pin --change-pin --new-pin "a longer one"
refuse "the old one is wrong" 'PIN_INCORRECT' at --login --pin $pin -O
pin="a longer one"
check "the new one is right" at --login --pin "$pin" -O
refuse "one that is too short is none" 'PIN_LEN_RANGE' at --login --pin "$pin" --change-pin --new-pin 123

# --- Wrong PINs ---

for i in 1 2 3 4 5 6 7 8 9; do
	at --login --pin "wrong $i" -O >/dev/null 2>&1 && not_ok "a wrong PIN logs in"
	[ "$i" != 5 ] || { tee_stop && tee_start; }
done
run tool -L
check "the token says that one try is left" says 'final user PIN try'
refuse "the tenth is wrong, too" 'PIN_INCORRECT' at --login --pin wrong -O
refuse "now the PIN is locked, also the right one" 'PIN_LOCKED' at --login --pin "$pin" -O
tee_stop KILL
tee_start
refuse "after kill -9 it still is" 'PIN_LOCKED' at --login --pin "$pin" -O
run tool -L
check "and the token says so" says 'user PIN locked'
pin=0815
check "the security officer unlocks it" at --login --login-type so --so-pin $so --init-pin --pin $pin
check "with a PIN that works" at --login --pin $pin --sign --id 01 --mechanism ECDSA-SHA256 \
	--input-file "$work/data" --output-file "$work/sig"

# --- The same by the command line ---

printf '%s\n' $so >"$work/so"
printf '%s\n' $pin >"$work/pin"
chmod 600 "$work/so" "$work/pin"
run keyward token list
check "keyward lists the token" says '^1 +first token +'
run keyward token list --json
check "and as JSON" python3 -c "import json,sys
t = json.load(open('$work/out'))
assert t[0]['slot'] == 1 and t[0]['label'] == 'first token' and t[0]['user_tries'] == 10 and len(t[0]['serial']) == 16, t"
run keyward token objects 1
equal "without the PIN it shows the keys and what is public" 1 "$(grep -c '^certificate' "$work/out")"
run keyward token objects 1 --pin-file "$work/pin"
check "with the PIN all" says '^data +'
printf 'another one\n' >"$work/new"
chmod 600 "$work/new"
check "it changes the PIN" keyward token set-pin 1 --pin-file "$work/pin" --new-pin-file "$work/new"
check "which is then the one" at --login --pin "another one" -O
check "it unlocks" keyward token unlock 1 --pin-file "$work/so" --new-pin-file "$work/pin"
check "with the new PIN" at --login --pin $pin -O
check "it makes a token" keyward token init 2 --label second --pin-file "$work/so" --allow user:nobody
run keyward token list
check "for somebody else, too" says '^2 +second .*'
refuse "a PIN is not taken from the command line" 'cannot open' keyward token init 3 --label x --pin 12345678
# typed ANSWER… -- COMMAND…: at a terminal, an answer for each prompt.
typed()
{
	timeout 30 python3 - "$@" <<'PY'
import os, pty, sys, termios, time
at = sys.argv.index("--")
answers = sys.argv[1:at]
pid, fd = pty.fork()
if not pid:
    os.execvp(sys.argv[at + 1], sys.argv[at + 1:])
said = unseen = b""
while True:
    try:
        read = os.read(fd, 1000)
    except OSError:
        break
    said, unseen = said + read, unseen + read
    if answers and unseen.endswith(b": "):
        while termios.tcgetattr(fd)[3] & termios.ECHO: # the prompt comes first
            time.sleep(0.01)
        os.write(fd, answers.pop(0).encode() + b"\n")
        unseen = b""
print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
}
check "it asks for PINs at the terminal" typed $pin $pin $pin -- keyward token set-pin 1
equal "and does not show them" 0 "$(grep -c $pin "$work/check.out")"
refuse "a new PIN that differs the second time is none" 'not given, or not the same twice' \
	typed $pin 123456 123457 -- keyward token set-pin 1
refuse "where there is no terminal it names the option" 'give --pin-file FILE' setsid -w keyward token init 3
refuse "and that of the new PIN" 'give --new-pin-file FILE' setsid -w keyward token unlock 1 --pin-file "$work/so"
printf '123\n' >"$work/short"
chmod 600 "$work/short"
refuse "it says which file has no PIN" "'$work/short' .*4 to 64 bytes" \
	keyward token set-pin 1 --pin-file "$work/pin" --new-pin-file "$work/short"
mapfile -t others < <(seq -f 'user:%.0f' 70001 70030)
check "many may log in" keyward token allow 2 "${others[@]}"
refuse "when not all fit, it says who was left out" 'those before user:80002 were changed' \
	keyward token allow 2 user:80001 user:80002
grep -q 'is full.* allow a group' "$work/check.out" && ok "and what to do" || not_ok "and what to do"
on_token=$(keyward token objects 1 | sed -n 's/^key .*\(id:[0-9a-f]*\|mine\)$/\1/p' | head -1)
refuse "a key with a PIN is for programs that log in" 'not logged in.* PKCS #11 can' \
	keyward key csr "$on_token" --subject /CN=t -o "$work/no.csr"
chmod 644 "$work/so"
refuse "nor from a file that others can read" 'read by others|chmod' keyward token delete 2 --pin-file "$work/so"
chmod 600 "$work/so"
check "who initialises a token at the terminal" typed "$so" -- keyward token init 2 --label again
typed "$so" -- keyward token init 2 --label again >"$work/out" 2>&1
check "is told first what that erases, and asked once" says "token 'again' .*all keys and objects on it"
typed $so $so -- keyward token init 3 --label third >"$work/out" 2>&1
equal "who makes one is asked twice, and told nothing of the kind" "2 0" \
	"$(grep -c 'PIN: ' "$work/out") $(grep -c 'all keys' "$work/out")"
check "which is one" keyward token delete 3 --pin-file "$work/so"
check "it deletes the token" keyward token delete 2 --pin-file "$work/so"
refuse "which is gone" 'no token in slot 2' keyward token delete 2 --pin-file "$work/so"

# --- Strangers ---

cp "$work/so" "$work/so2" && chown nobody "$work/so2"
refuse "whom nobody allowed cannot even try PINs" 'may not log in' \
	as nobody env KEYWARD_SOCKET="$KEYWARD_SOCKET" "$(command -v keyward)" token unlock 1 --pin-file "$work/so2" --new-pin-file "$work/so2"
run keyward token list --json
check "so they cannot lock them" python3 -c "import json; t = json.load(open('$work/out')); assert t[0]['so_tries'] == 10"

# --- Initialised again, and deleted ---

run keyward key list
check "the list of all keys says which token each is on" says '^mine +ec-p256 +1 '

refuse "a wrong SO PIN does not initialise it again" 'PIN_INCORRECT' at --init-token --label x --so-pin 11111111
check "the right one does" at --init-token --label "second life" --so-pin $so
run keyward key list
equal "and all its keys are gone" 0 "$(grep -cE '^(mine|rsa) ' "$work/out")"
equal "and no column is about tokens" 0 "$(grep -c 'TOKEN' "$work/out")"
for i in 1 2 3 4 5 6 7 8 9 10; do
	at --login --login-type so --so-pin "wrong $i" --init-pin --pin 1234 >/dev/null 2>&1
done
refuse "a locked security officer initialises nothing" 'PIN_LOCKED' at --init-token --label x --so-pin $so
check "an administrator deletes the token" keyward token delete 1 --yes
run tool -L
equal "and the slot waits again" 2 "$(grep -c '^Slot' "$work/out")"

# --- Sessions, with all their states, in one process ---

coproc logins { "$KW_BUILD/tests/pkcs11_logins" "$module" 2>&1; }
# shellcheck disable=SC2154 # the coprocess'
exec 5<&"${logins[0]}" 6>&"${logins[1]}"
# shellcheck disable=SC2154
program=$logins_PID
said=
while read -r -t 60 said <&5; do
	case $said in
	restart) tee_restart KILL && echo go >&6 ;;
	*) echo "# $said" ;;
	esac
done
wait "$program"
equal "logins of a program: states, sessions, threads, a fork, a restarted TEE" 0 $?
finish
