#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# keyward(1) against a real TEE: every command, every form of key file, every wrong input with its exit status and
# its one sentence, and nothing changed by it.
# shellcheck disable=SC2015 # ok and not_ok succeed
. "$(dirname "$0")/lib.sh"
scenario cli openssl python3
tee_start || { not_ok "the TEE starts" && show_file "$work/tee.log" && finish; }
files=$work/files
mkdir -m 755 "$files"
cd "$files" || exit 1

# Everything that a command could have changed, but for counters: those count refusals.
snapshot()
{
	keyward key list --json | grep -v -e '"signatures"' -e '"last_use"' -e '"refusals"'
	find "$files" -exec stat -c '%n %a %u %g %s' {} + | sort
	find "$files" -type f -exec sha256sum {} + | sort
}

# wrong SENTENCE STATUS PATTERN COMMAND…: it must exit with STATUS, say one sentence that matches, print nothing else,
# and change nothing.
wrong()
{
	local what=$1 status=$2 pattern=$3 before after result lines
	shift 3
	before=$(snapshot)
	"$@" >"$work/wrong.out" 2>"$work/wrong.err" </dev/null
	result=$?
	after=$(snapshot)
	lines=$(wc -l <"$work/wrong.err")
	if [ "$result" != "$status" ]; then
		not_ok "$what: exit status $result, not $status"
		show_file "$work/wrong.err"
	elif [ "$lines" != 1 ] || ! grep -q '^keyward: ' "$work/wrong.err" || [ -s "$work/wrong.out" ]; then
		not_ok "$what: says other than one sentence"
		show_file "$work/wrong.err"
		show_file "$work/wrong.out"
	elif LC_ALL=C grep -q '[^[:print:]]' <(LC_ALL=C tr -d '\n\200-\377' <"$work/wrong.err"); then
		not_ok "$what: sends control characters to the terminal"
	elif ! grep -Eq -- "$pattern" "$work/wrong.err"; then
		not_ok "$what: does not say '$pattern'"
		show_file "$work/wrong.err"
	elif [ "$before" != "$after" ]; then
		not_ok "$what: changed something"
	else
		ok "$what"
	fi
}

is_json() { python3 -m json.tool >/dev/null; }
# json EXPRESSION: of the JSON on standard input, which is j.
json() { python3 -c "import json, sys; j = json.load(sys.stdin); print($1)"; }

# at_terminal ANSWER COMMAND…: runs it at a terminal of its own and types the answer once the question stands there;
# hidden:ANSWER once the terminal does not echo. Prints what the terminal shows.
at_terminal()
{
	python3 - "$@" <<'PY'
import os, pty, select, sys, termios
answer = sys.argv[1]
hidden = answer.startswith("hidden:")
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""
typed = False
while True:
    if select.select([fd], [], [], 0.02)[0]:
        try:
            got = os.read(fd, 4096)
        except OSError:
            got = b""
        if not got:
            break
        shown += got
    # The question ends with a blank.
    if not typed and shown.endswith(b" ") and not (hidden and termios.tcgetattr(fd)[3] & termios.ECHO):
        os.write(fd, answer.removeprefix("hidden:").encode() + b"\n")
        typed = True
sys.stdout.write(shown.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
}

same_key() { [ "$(openssl pkey -in "$1" "${@:3}" -pubout 2>/dev/null)" = "$(keyward key show "$2" --pubkey)" ]; }

# --- status and help ---

check "status prints a page" grep -q '^TEE  *host' <(keyward status)
keyward status | grep -q 'What is missing' && ok "status says what is missing" || not_ok "status says what is missing"
check "status --json is JSON" is_json < <(keyward status --json)
equal "status --json counts keys" 0 "$(keyward status --json | json "j['keys']")"
equal "--version" "keyward $(keyward status --json | json "j['version']")" "$(keyward --version)"
for command in status 'key generate' 'key import' 'key list' 'key show' 'key rename' 'key delete' 'key allow' \
	'key deny' 'key csr' 'key pem' 'key seal' 'key attest' 'attest key' 'attest verify' bench help; do
	# shellcheck disable=SC2086 # the words of a command
	equal "$command --help is its help" "$(keyward help $command)" "$(keyward $command --help)"
	# shellcheck disable=SC2086
	keyward $command --help | grep -q "^Usage: keyward $command" || not_ok "$command --help says how to use it"
done
wrong "a command that there is not" 2 "no command 'frobnicate'" keyward frobnicate
wrong "a key command that there is not" 2 "no command 'key frobnicate'" keyward key frobnicate
wrong "an option that there is not" 2 "no option '--frob'" keyward status --frob
wrong "an option without its argument" 2 "'--type' needs an argument" keyward key generate a --type
wrong "an argument where there is none" 2 "takes no argument" keyward status --json=1
wrong "an argument too many" 2 "one argument too many" keyward status now
wrong "an argument too few" 2 "argument is missing" keyward key generate
wrong "an option with control characters" 2 'x1b\[31m' keyward status $'--\e[31m'
keyward >/dev/null 2>&1
equal "no command is wrong usage" 2 $?
keyward key list --json >/dev/full 2>/dev/null
equal "a full disk behind standard output is a failure" 1 $?

# With a closed standard descriptor nothing else is written to.
keyward status >&- 2>/dev/null
equal "a closed standard output is a failure" 1 $?

# --- generate, list, show ---

check "generate makes a key" keyward key generate www.test.com --allow user:nobody --allow group:daemon
for type in rsa-2048 ec-p256 ec-p384 ec-p521 ed25519; do
	keyward key generate "t.$type" --type "$type" --purpose sign,csr --json >"$work/g.json"
	equal "generate --type $type --json" "t.$type $type" "$(json "j['name'] + ' ' + j['type']" <"$work/g.json")"
done
keyward key generate old.data --type rsa-2048 --purpose decrypt,decrypt-pkcs1 >/dev/null
equal "purposes are as given" 'decrypt decrypt-pkcs1' "$(keyward key show old.data --json | json "' '.join(j['purposes'])")"
equal "default purposes" 'tls-server csr' "$(keyward key show www.test.com --json | json "' '.join(j['purposes'])")"
equal "the access list" 'user:nobody group:daemon' "$(keyward key show www.test.com --json | json "' '.join(j['allowed'])")"
check "list has every key" grep -q '^t.ed25519 *ed25519 *csr,sign *- *0 *never' <(keyward key list)
equal "list --names" 7 "$(keyward key list --names | grep -cE '^(t\.|www|old)')"
equal "list --json" 7 "$(keyward key list --json | json 'len(j)')"
keyward key show www.test.com >"$work/show"
id=$(sed -n 's/^Id  *//p' "$work/show")
equal "the id is SHA-256 of the public key" "$id" \
	"$(keyward key show www.test.com --pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)"
equal "show by id" www.test.com "$(keyward key show "$id" --json | json "j['name']")"
equal "show by the first digits of an id" www.test.com "$(keyward key show "id:${id:0:8}" --json | json "j['name']")"
wrong "a name that is taken" 6 "another key has.*choose another name" keyward key generate www.test.com
wrong "a name that is too long" 2 "1 to 128" keyward key generate "$(printf '%0129d' 0)"
wrong "a name with a control character" 2 "a name has" keyward key generate $'a\e]0;x\a'
wrong "a name with a slash" 2 "a name has" keyward key generate a/b
wrong "an empty name" 2 "a name has" keyward key generate ''
wrong "a type that there is not" 2 "no type 'dsa': use rsa-2048" keyward key generate a --type dsa
wrong "a purpose that there is not" 2 "use tls-server" keyward key generate a --purpose sing
wrong "no purpose" 2 "use tls-server" keyward key generate a --purpose ''
wrong "decryption with an EC key" 2 "cannot decrypt" keyward key generate a --purpose decrypt
wrong "a user that there is not" 2 "no user 'nosuchuser'" keyward key generate a --allow user:nosuchuser
wrong "a user without user:" 2 "neither user:NAME nor group:NAME" keyward key generate a --allow nobody
wrong "show a key that there is not" 5 "no.* key.*nosuch" keyward key show nosuch
wrong "show an id that there is not" 5 "no key 'id:00000000'" keyward key show id:00000000
wrong "too few digits of an id" 2 "8 to 64 hexadecimal digits" keyward key show id:12
wrong "show a file that there is not" 7 "No such file" keyward key show ./nosuch.pem

# --- import: every form that openssl writes ---

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem 2>/dev/null
form() # NAME FILE [OPTION…]
{
	local name=$1 file=$2
	shift 2
	if ! keyward key import "$name" "$file" "$@" >"$work/import.out" 2>&1; then
		not_ok "import $file"
		show_file "$work/import.out"
		return
	fi
	same_key "$name.public" "$name" -pubin && ok "import $file" || not_ok "import $file: another public key"
	keyward key delete "$name" --yes >/dev/null
}
forms_of() # TYPE OPTIONS-OF-GENPKEY…
{
	local type=$1
	shift
	openssl genpkey "$@" -out "$type.pkcs8.pem" 2>/dev/null
	openssl pkey -in "$type.pkcs8.pem" -pubout -out "i.$type.public"
	openssl pkey -in "$type.pkcs8.pem" -outform DER -out "$type.pkcs8.der"
	openssl pkcs8 -topk8 -in "$type.pkcs8.pem" -passout pass:secret -out "$type.encrypted.pem"
	openssl pkcs8 -topk8 -in "$type.pkcs8.pem" -passout pass:secret -outform DER -out "$type.encrypted.der"
	openssl pkcs8 -topk8 -in "$type.pkcs8.pem" -scrypt -passout pass:secret -out "$type.scrypt.pem"
	form "i.$type" "$type.pkcs8.pem"
	form "i.$type" "$type.pkcs8.der"
	for file in "$type".encrypted.pem "$type".encrypted.der "$type".scrypt.pem; do
		form "i.$type" "$file" --passphrase-file "$work/passphrase"
	done
	[ "$type" != ed25519 ] || return
	openssl pkey -in "$type.pkcs8.pem" -traditional -out "$type.traditional.pem"
	case $type in
	rsa-*) openssl rsa -in "$type.pkcs8.pem" -traditional -outform DER -out "$type.traditional.der" 2>/dev/null ;;
	*) openssl ec -in "$type.pkcs8.pem" -outform DER -out "$type.traditional.der" 2>/dev/null ;;
	esac
	openssl pkey -in "$type.pkcs8.pem" -traditional -aes256 -passout pass:secret -out "$type.old-encrypted.pem"
	form "i.$type" "$type.traditional.pem"
	form "i.$type" "$type.traditional.der"
	form "i.$type" "$type.old-encrypted.pem" --passphrase-file "$work/passphrase"
}
printf 'secret\n' >"$work/passphrase"
for bits in 2048 3072 4096; do
	forms_of "rsa-$bits" -algorithm RSA -pkeyopt "rsa_keygen_bits:$bits"
done
for bits in 256 384 521; do
	forms_of "ec-p$bits" -algorithm EC -pkeyopt "ec_paramgen_curve:P-$bits"
done
forms_of ed25519 -algorithm ED25519
openssl ecparam -name prime256v1 -genkey -out parameters.pem
openssl pkey -in parameters.pem -pubout -out i.parameters.public
form i.parameters parameters.pem
openssl req -x509 -key ec.pem -subj /CN=a -days 2 -out certificate.pem
cat certificate.pem ec.pem >combined.pem
openssl pkey -in ec.pem -pubout -out i.combined.public
form i.combined combined.pem
keyward key import i.stdin - <ec.pem >/dev/null && same_key ec.pem i.stdin && ok "import from standard input" ||
	not_ok "import from standard input"
keyward key delete i.stdin --yes >/dev/null
keyward key import i.fd ec-p256.encrypted.pem --passphrase-fd 3 3<"$work/passphrase" >/dev/null &&
	same_key ec-p256.pkcs8.pem i.fd && ok "the passphrase from a descriptor" || not_ok "the passphrase from a descriptor"
keyward key delete i.fd --yes >/dev/null
at_terminal hidden:secret keyward key import i.tty ec-p256.encrypted.pem >"$work/tty"
equal "the passphrase at the terminal" 0 $?
same_key ec-p256.pkcs8.pem i.tty && ok "is the right one" || not_ok "is the right one"
grep -q 'Passphrase of ec-p256.encrypted.pem' "$work/tty" && ! grep -q secret "$work/tty" &&
	ok "the passphrase is not shown" || { not_ok "the passphrase is not shown" && show_file "$work/tty"; }
keyward key delete i.tty --yes >/dev/null
at_terminal hidden:Secret keyward key import i.tty ec-p256.encrypted.pem >"$work/tty"
equal "a wrong passphrase at the terminal" 7 $?
check "import --json is JSON" is_json < <(keyward key import i.json ec.pem --json)
keyward key import i.json2 ec.pem >"$work/out" 2>&1
equal "the same key again" 6 $?
keyward key delete i.json --yes >/dev/null
openssl pkey -in ec.pem -out twice.pem && cmp -s ec.pem twice.pem && ok "the file is left as it was" ||
	not_ok "the file is left as it was"
keyward key import i.advice ec.pem | grep -q 'shred -u ec.pem' && ok "import says how to delete the file" ||
	not_ok "import says how to delete the file"
keyward key delete i.advice --yes >/dev/null

# While a key passes through, another process of the same user cannot look into this one.
mkfifo -m 666 "$work/hold"
chmod 644 ec-p256.encrypted.pem
exec 4<>"$work/hold"
as nobody keyward key import i.hold ec-p256.encrypted.pem --passphrase-file "$work/hold" >/dev/null 2>&1 &
holder=$!
holds() { [ "$(basename "$(readlink "/proc/$holder/exe")")" = keyward ] && find "/proc/$holder/fd" -lname "$work/hold" | grep -q .; }
wait_for 20 holds
equal "import: memory belongs to root" root "$(stat -c %U "/proc/$holder/mem")"
as nobody dd if="/proc/$holder/mem" bs=1 count=1 of=/dev/null 2>"$work/dd"
grep -qi 'denied' "$work/dd" && ok "import: the same user cannot open its memory" || not_ok "import: the same user cannot open its memory"
equal "import: no core dumps" 0 "$(awk '/Max core file size/ { print $5 }' "/proc/$holder/limits")"
echo wrong >&4
wait "$holder"
exec 4>&-

# --- import: what it refuses ---

wrong "a wrong passphrase" 7 "passphrase is wrong" keyward key import x ec-p256.encrypted.pem --passphrase-file certificate.pem
wrong "a wrong passphrase, DER" 7 "passphrase is wrong" keyward key import x ec-p256.encrypted.der --passphrase-file certificate.pem
wrong "a wrong passphrase, traditional" 7 "passphrase is wrong" keyward key import x ec-p256.old-encrypted.pem --passphrase-file certificate.pem
wrong "no passphrase and no terminal" 7 "there is no passphrase.*--passphrase-file" setsid -w keyward key import x ec-p256.encrypted.pem
wrong "a passphrase file that there is not" 7 "cannot read the passphrase" keyward key import x ec-p256.encrypted.pem --passphrase-file nosuch
wrong "a certificate" 7 "is a certificate.*give the file with its private key" keyward key import x certificate.pem
openssl x509 -in certificate.pem -outform DER -out certificate.der
wrong "a certificate in DER" 7 "is a certificate" keyward key import x certificate.der
wrong "a public key" 7 "is a public key" keyward key import x i.combined.public
openssl req -new -key ec.pem -subj /CN=a -out request.pem
wrong "a certificate request" 7 "is a certificate request" keyward key import x request.pem
keyward key pem www.test.com -o keyward.pem
wrong "a Keyward file" 7 "Keyward key file already" keyward key import x keyward.pem
openssl dsaparam -noout -genkey -out dsa.pem 1024 2>/dev/null
wrong "a DSA key" 7 "DSA" keyward key import x dsa.pem
openssl genpkey -algorithm X448 -out x448.pem
wrong "an X448 key" 7 "X448" keyward key import x x448.pem
openssl genpkey -algorithm ED448 -out ed448.pem
wrong "an Ed448 key" 7 "ED448" keyward key import x ed448.pem
openssl ecparam -name secp256k1 -genkey -noout -out koblitz.pem
wrong "another curve" 7 "secp256k1.*P-256, P-384 and P-521" keyward key import x koblitz.pem
openssl genrsa -out rsa1024.pem 1024 2>/dev/null
wrong "a short RSA key" 7 "1024 bits" keyward key import x rsa1024.pem
openssl genrsa -primes 3 -out three.pem 2048 2>/dev/null
wrong "an RSA key of three primes" 7 "more than two primes" keyward key import x three.pem
openssl pkcs12 -export -inkey ec.pem -in certificate.pem -passout pass:secret -out bundle.p12
wrong "a PKCS #12 file" 7 "openssl pkcs12" keyward key import x bundle.p12
cat ec.pem ec-p256.pkcs8.pem >two.pem
wrong "two keys in a file" 7 "2 private keys" keyward key import x two.pem
head -c 100 ec.pem >cut.pem
wrong "a file cut short" 7 "damaged" keyward key import x cut.pem
: >empty.pem
wrong "an empty file" 7 "empty" keyward key import x empty.pem
echo hello >text.txt
wrong "a text" 7 "not a private key" keyward key import x text.txt
head -c 200000 /dev/zero >large
wrong "a file that is too large" 7 "more than 131072 bytes" keyward key import x large
wrong "a file without end" 7 "more than 131072 bytes" keyward key import x /dev/zero
wrong "a directory" 7 "Is a directory" keyward key import x "$files"
wrong "a file that there is not" 7 "No such file" keyward key import x nosuch.key
wrong "a good key under a name that is taken" 6 "another key has" keyward key import www.test.com ec.pem
wrong "a good key under a bad name" 2 "a name has" keyward key import a/b ec.pem
wrong "a file name with control characters" 7 'x1b\[31m' keyward key import x $'\e[31m'

# --- rename and delete ---

keyward key generate first --purpose sign >/dev/null
keyward key generate second --purpose sign >/dev/null
second=$(keyward key show second --json | json "j['id']")
first=$(keyward key show first --json | json "j['id']")
wrong "rename to a name that is taken" 6 "first" keyward key rename second first
wrong "rename a key that there is not" 5 "nosuch" keyward key rename nosuch other
wrong "rename to a bad name" 2 "a name has" keyward key rename first 'a b'
wrong "rename a file" 2 "only a stored key" keyward key rename ./keyward.pem other
keyward key rename second third >/dev/null
equal "rename" "$second" "$(keyward key show third --json | json "j['id']")"
wrong "the old name is gone" 5 "second" keyward key show second
keyward key rename third first --take >/dev/null
equal "rename --take moves a name" "$second" "$(keyward key show first --json | json "j['id']")"
equal "the other key goes on without a name" '' "$(keyward key show "id:${first:0:12}" --json | json "j['name']")"
check "the list shows it by its id" grep -q "^id:${first:0:16}" <(keyward key list)
check "a key without a name can be deleted by its id" keyward key delete "id:${first:0:12}" --yes
wrong "delete without a terminal and --yes" 2 "give --yes" keyward key delete first
wrong "delete a key that there is not" 5 "nosuch" keyward key delete nosuch --yes
wrong "delete a sealed key's file" 2 "deleting that file" keyward key delete ./keyward.pem --yes
at_terminal n keyward key delete first >"$work/tty"
equal "delete asks at a terminal, and no means no" 1 $?
grep -q "Delete the key 'first' (ec-p256, last used: never)" "$work/tty" && ok "and says what it asks about" ||
	not_ok "and says what it asks about"
check "the key is still there" keyward key show first
at_terminal y keyward key delete first >/dev/null
equal "yes means yes" 0 $?
wrong "a deleted key is gone" 5 "first" keyward key show first

# --- the access list ---

check "allow" keyward key allow www.test.com user:www-data user:daemon
equal "the list has them, each once" 'user:nobody group:daemon user:www-data user:daemon' \
	"$(keyward key allow www.test.com user:daemon --json | json "' '.join(j['allowed'])")"
check "deny" keyward key deny www.test.com user:daemon group:daemon user:www-data
equal "they are off the list" 'user:nobody' "$(keyward key show www.test.com --json | json "' '.join(j['allowed'])")"
wrong "allow a user that there is not" 2 "no user 'nosuchuser'" keyward key allow www.test.com user:nosuchuser
wrong "allow nobody in particular" 2 "argument is missing" keyward key allow www.test.com
wrong "allow for a key that there is not" 5 "nosuch" keyward key allow nosuch user:nobody
check "who is allowed sees the key" as nobody keyward key show www.test.com
wrong "who is allowed may not change the list" 4 "www.test.com" as nobody keyward key allow www.test.com user:daemon
wrong "who is allowed may not delete" 4 "www.test.com" as nobody keyward key delete www.test.com --yes
wrong "who is not allowed does not see the key" 4 "www.test.com" as www-data keyward key show www.test.com
wrong "who may not make keys" 4 "may not create keys" as nobody keyward key generate mine
equal "others see only their own keys" www.test.com "$(as nobody keyward key list --names)"

# --- requests ---

keyward key csr www.test.com --subject '/C=DE/O=Test \/ \+ Söhne/CN=www.test.com' --san DNS:www.test.com,DNS:test.com \
	--san IP:192.0.2.1 --san IP:2001:db8::1 --san email:a@test.com --san URI:https://test.com/a,b -o request.csr
equal "csr" 0 $?
check "openssl verifies the request" grep -q 'verify OK' <(openssl req -in request.csr -verify -noout 2>&1)
equal "its subject" 'subject=CN=www.test.com,O=Test / \+ Söhne,C=DE' \
	"$(openssl req -in request.csr -noout -subject -nameopt RFC2253,utf8,-esc_msb)"
equal "its alternative names" \
	'DNS:www.test.com, DNS:test.com, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, email:a@test.com, URI:https://test.com/a,b' \
	"$(openssl req -in request.csr -noout -text | sed -n '/Alternative Name/{n;s/^ *//p;}')"
equal "its key" "$(keyward key show www.test.com --pubkey)" "$(openssl req -in request.csr -noout -pubkey)"
for type in rsa-2048 ec-p384 ec-p521 ed25519; do
	keyward key csr "t.$type" --subject /CN=a --der | openssl req -inform DER -verify -noout 2>&1 | grep -q 'verify OK' &&
		ok "csr of $type, DER" || not_ok "csr of $type, DER"
done
keyward key csr www.test.com --san DNS:a.test | openssl req -noout -text | grep -q DNS:a.test &&
	ok "csr without a subject, to standard output" || not_ok "csr without a subject, to standard output"
wrong "csr with neither subject nor names" 2 "give --subject or --san" keyward key csr www.test.com
wrong "csr with a bad subject" 2 "begins with a slash" keyward key csr www.test.com --subject CN=a
wrong "csr with a bad country" 2 "two letters" keyward key csr www.test.com --subject /C=Germany
wrong "csr with a bad name" 2 "begin it with DNS:" keyward key csr www.test.com --san www.test.com
wrong "csr with a bad address" 2 "not an IP address" keyward key csr www.test.com --san IP:1.2.3
wrong "csr with a name that is too long" 2 "more than 64 characters.*--san" keyward key csr www.test.com --subject "/CN=$(printf '%065d' 0)"
wrong "csr by a key whose purposes forbid it" 4 "purpose" keyward key csr old.data --subject /CN=a
wrong "csr by who is not allowed" 4 "www.test.com" as www-data keyward key csr www.test.com --subject /CN=a
wrong "csr over a file" 6 "--force" keyward key csr www.test.com --subject /CN=a -o request.csr
wrong "csr into a directory that there is not" 1 "No such file" keyward key csr www.test.com --subject /CN=a -o no/such.csr

# --- key files ---

keyward key pem www.test.com >pem.out
equal "pem to standard output and to a file are the same" "$(cat keyward.pem)" "$(cat pem.out)"
equal "the file's mode" 644 "$(stat -c %a keyward.pem)"
head -2 keyward.pem | grep -q "www.test.com.*(ec-p256)" && ok "it begins with what it is" || not_ok "it begins with what it is"
equal "show takes the file" "$id" "$(keyward key show ./keyward.pem --json | json "j['id']")"
cp keyward.pem keyward.txt
equal "show --file takes any file" "$id" "$(keyward key show --file keyward.txt --json | json "j['id']")"
wrong "pem over a private key" 6 "the file exists; --force" keyward key pem www.test.com -o ec.pem
wrong "pem of a key that there is not" 5 "nosuch" keyward key pem nosuch
cp ec.pem mine.pem && chown nobody:daemon mine.pem && chmod 640 mine.pem
keyward key pem www.test.com -o mine.pem --force
equal "pem --force keeps owner and mode" 'nobody daemon 640' "$(stat -c '%U %G %a' mine.pem)"
equal "and writes the file" "$(cat keyward.pem)" "$(cat mine.pem)"
ln -s keyward.txt link.pem
keyward key pem t.ed25519 -o link.pem --force
[ -L link.pem ] && grep -q t.ed25519 keyward.txt && ok "a link stays a link" || not_ok "a link stays a link"
check "pem into a device" keyward key pem www.test.com -o /dev/null
[ -c /dev/null ] && ok "which stays one" || not_ok "which stays one"
keyward key pem www.test.com -o closed.pem >&- 2>&-
cmp -s keyward.pem closed.pem && ok "a file is whole although descriptors are closed" || not_ok "a file is whole although descriptors are closed"
equal "nothing temporary is left" '' "$(find "$files" -name '.keyward-*')"
keyward key rename www.test.com moved >/dev/null
equal "a file finds its key by id, whatever its name" moved "$(keyward key show ./keyward.pem --json | json "j['name']")"
keyward key rename moved www.test.com >/dev/null
sed 's/^M/N/' keyward.pem >damaged.pem
wrong "a damaged Keyward file" 7 "damaged" keyward key show ./damaged.pem
wrong "a private key where a Keyward file is wanted" 7 "not a Keyward key file" keyward key show ./ec.pem
cat keyward.pem mine.pem >several.pem
wrong "a file with several keys" 7 "several" keyward key show ./several.pem

# --- sealed keys ---

stored=$(keyward status --json | json "j['keys']")
keyward key seal --type ec-p256 --purpose sign,csr --allow user:nobody -o sealed.pem >/dev/null
equal "seal a new key" 0 $?
keyward key seal ec.pem -o imported.pem >/dev/null
equal "seal a key file" 0 $?
same_key ec.pem ./imported.pem && ok "it is that key" || not_ok "it is that key"
check "seal --json is JSON" is_json < <(keyward key seal --type ed25519 -o sealed-ed.pem --json)
keyward key seal ec-p256.encrypted.pem --passphrase-file "$work/passphrase" -o - | grep -q 'BEGIN KEYWARD' &&
	ok "seal an encrypted key, to standard output" || not_ok "seal an encrypted key, to standard output"
equal "nothing is stored" "$stored" "$(keyward status --json | json "j['keys']")"
check "show a sealed key" grep -q '^Kept  *sealed' <(keyward key show sealed.pem)
equal "its name is the file's" sealed "$(keyward key show sealed.pem --json | json "j['name']")"
keyward key csr sealed.pem --subject /CN=a | openssl req -verify -noout 2>&1 | grep -q 'verify OK' &&
	ok "csr by a sealed key" || not_ok "csr by a sealed key"
cat certificate.pem sealed.pem certificate.pem >both.pem
chown nobody:daemon both.pem && chmod 440 both.pem
check "allow rewrites a sealed key's file" keyward key allow ./both.pem user:daemon group:ssl-cert
equal "keeping its owner and mode" 'nobody daemon 440' "$(stat -c '%U %G %a' both.pem)"
equal "and what else is in it" 2 "$(grep -c 'BEGIN CERTIFICATE' both.pem)"
equal "the list is in the file" 'user:nobody user:daemon group:ssl-cert' \
	"$(keyward key show ./both.pem --json | json "' '.join(j['allowed'])")"
keyward key deny --file both.pem user:nobody >/dev/null
equal "deny as well" 'group:ssl-cert user:daemon' "$(keyward key show ./both.pem --json | json "' '.join(sorted(j['allowed']))")"
wrong "a sealed key and who is not allowed" 4 "both" as nobody keyward key show ./both.pem
wrong "seal without -o" 2 "give -o FILE" keyward key seal ec.pem
wrong "seal neither file nor type" 2 "either a key file" keyward key seal -o new.pem
wrong "seal both file and type" 2 "either a key file" keyward key seal ec.pem --type ec-p256 -o new.pem
wrong "seal over a file" 6 "--force" keyward key seal --type ec-p256 -o sealed.pem
wrong "seal a file over itself" 2 "cannot be the output" keyward key seal ec.pem -o ./ec.pem --force
wrong "seal a certificate" 7 "is a certificate" keyward key seal certificate.pem -o new.pem
wrong "pem of a sealed file" 2 "already" keyward key pem sealed.pem
# Of another device: a TEE with another secret.
spawn "$work/other.log" setpriv --reuid "$tee_user" --regid "$(id -g "$tee_user")" --clear-groups -- "$kw_teed" \
	--store "$work/tee/other" --socket "$work/tee/other.sock"
wait_for 20 keyward --socket "$work/tee/other.sock" status
wrong "a key that another device sealed" 7 "another device" keyward --socket "$work/tee/other.sock" key show sealed.pem

# --- bench ---

keyward bench --seconds 1 --json >"$work/bench.json"
equal "bench" 0 $?
check "measures both sides" python3 - "$work/bench.json" <<'PY'
import json, sys
j = json.load(open(sys.argv[1]))
for side in ("keyward", "libcrypto"):
    assert j[side]["signatures_per_second"] > 0 and 0 < j[side]["p50_us"] <= j[side]["p99_us"]
assert j["ratio"] > 0
PY
for type in rsa-2048 ed25519; do
	check "bench --type $type --threads 3" keyward bench --type "$type" --threads 3 --seconds 1
done
equal "bench stores nothing" "$stored" "$(keyward status --json | json "j['keys']")"
wrong "bench with no threads" 2 "'0' is not a number" keyward bench --threads 0
wrong "bench with a type that there is not" 2 "no type 'x'" keyward bench --type x

# --- without a TEE ---

none=$work/nosuch.sock
wrong "no TEE at the socket" 3 "no TEE answers at $none.*start it" keyward --socket "$none" status
wrong "a kind of TEE that there is not" 2 "host, optee" keyward --tee sgx status
KEYWARD_SOCKET=$none keyward key list >/dev/null 2>&1
equal "KEYWARD_SOCKET is followed" 3 $?
check "--socket comes before KEYWARD_SOCKET" env KEYWARD_SOCKET="$none" keyward --socket "$KEYWARD_SOCKET" status
check "and after the command too" env KEYWARD_SOCKET="$none" keyward status --socket "$KEYWARD_SOCKET"
install -d -m 700 "$work/closed"
wrong "a socket that this user may not reach" 4 "denied|permission|may not" as nobody keyward --socket "$work/closed/tee.sock" status
if [ ! -e /run/keyward/tee.sock ]; then
	wrong "root is told how to start the system's TEE" 3 "systemctl" env -u KEYWARD_SOCKET HOME="$work" XDG_RUNTIME_DIR= keyward status
fi

# An ordinary user's first command starts a TEE of the user's own.
home=$work/home
install -d -o nobody -m 755 "$home"
own_pids() { pgrep -u nobody -f -- "--store $home/.local/share/keyward/store"; }
no_own() { [ -z "$(own_pids)" ]; }
stop_own() { own_pids | xargs -r kill; wait_for 20 no_own; }
own() { as nobody env -u KEYWARD_SOCKET -u XDG_RUNTIME_DIR HOME="$home" KEYWARD_TEED="$kw_teed" keyward "$@"; }
if [ -e /run/keyward/tee.sock ] || [ -d "/run/user/$(id -u nobody)" ]; then
	skip "a TEE on demand: this machine has one already"
else
	own status >"$work/own.out" 2>"$work/own.err"
	equal "an ordinary user's first command works" 0 $?
	grep -q "^keyward: started a TEE of your own.*$home/.local/share/keyward/store" "$work/own.err" &&
		ok "and says what it did" || { not_ok "and says what it did" && show_file "$work/own.err"; }
	equal "the next one uses the same TEE, and says nothing" '' "$(own key generate mine 2>&1 >/dev/null)"
	equal "the store is the user's alone" 'nobody 700' "$(stat -c '%U %a' "$home/.local/share/keyward/store")"
	equal "one TEE runs" 1 "$(own_pids | wc -l)"
	stop_own
	own key list --names >"$work/own1" 2>"$work/own1.err" &
	one=$!
	own key list --names >"$work/own2" 2>"$work/own2.err" &
	two=$!
	wait "$one" && wait "$two"
	equal "two commands at the same time start one TEE, which has its keys" 'mine mine' "$(cat "$work/own1") $(cat "$work/own2")"
	equal "one TEE runs" 1 "$(own_pids | wc -l)"
	equal "a later start says nothing" '' "$(cat "$work/own1.err" "$work/own2.err")"
	stop_own
	wrong "without keyward-teed" 3 "not installed|did not start" as nobody env -u KEYWARD_SOCKET -u XDG_RUNTIME_DIR HOME="$home" \
		KEYWARD_TEED=/nosuch keyward status
	wrong "a TEE that does not start" 3 "did not start" as nobody env -u KEYWARD_SOCKET -u XDG_RUNTIME_DIR HOME="$home" \
		KEYWARD_TEED=/bin/false keyward status
fi
finish
