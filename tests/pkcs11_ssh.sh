#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# OpenSSH with keys in the TEE: logins to a real sshd with the module in ssh, and with the module in ssh-agent.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pkcs11_steps.sh"
scenario pkcs11-ssh pkcs11-tool ssh sshd ssh-keygen ssh-agent ssh-add openssl
case $(getent shadow root | cut -d: -f2) in
'!'*) skip_all "pkcs11-ssh: root is locked here, and sshd lets nobody in who is" ;;
esac
pkcs11_start
make_key ec 01 EC:prime256v1
make_key rsa 02 rsa:2048
make_key stranger 03 EC:prime256v1

# --- sshd ---

read -r port <<<"$(free_ports 1)"
[ -d /run/sshd ] || install -d -m 755 /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
echo "[127.0.0.1]:$port $(cat "$work/host.pub")" >"$work/known_hosts"
cat >"$work/sshd_config" <<-CONF
	Port $port
	ListenAddress 127.0.0.1
	HostKey $work/host
	PidFile none
	UsePAM no
	StrictModes no
	PermitRootLogin prohibit-password
	AuthenticationMethods publickey
	AuthorizedKeysFile $work/authorized_keys
	LogLevel VERBOSE
CONF
check "ssh-keygen lists the keys" ssh-keygen -D "$module"
cp "$work/check.out" "$work/keys"
equal "all of them" "ecdsa-sha2-nistp256 ecdsa-sha2-nistp256 ssh-rsa" "$(cut -d' ' -f1 "$work/keys" | sort | tr '\n' ' ' | sed 's/ $//')"
# With `ssh-keygen -D`, the label is the comment.
grep -E ' (ec|rsa)$' "$work/keys" >"$work/authorized_keys"
equal "their labels are the comments" 2 "$(wc -l <"$work/authorized_keys")"
spawn "$work/sshd.log" "$(command -v sshd)" -D -e -f "$work/sshd_config"
wait_for_port "$port" || show_file "$work/sshd.log"

# login ARGUMENT…: with nothing but what the module or the agent has
login()
{
	timeout 20 ssh -F none -o BatchMode=yes -o UserKnownHostsFile="$work/known_hosts" -o StrictHostKeyChecking=yes \
		-o IdentityFile=none -p "$port" "$@" root@127.0.0.1 'echo "logged in"' >"$work/login.out" 2>&1 </dev/null ||
		{ cat "$work/login.out"; return 1; }
	grep -qx 'logged in' "$work/login.out"
}
# only LABEL: sshd lets this key in alone
only() { grep " $1\$" "$work/keys" >"$work/authorized_keys"; }

unset SSH_AUTH_SOCK
for key in ec rsa; do
	only $key
	check "ssh logs in with the $key key of the TEE" used $key login -o PKCS11Provider="$module"
	fingerprint=$(ssh-keygen -lf "$work/authorized_keys" | cut -d' ' -f2)
	check "sshd saw that key" grep -q "Accepted publickey for root .*$fingerprint" "$work/sshd.log"
done
only stranger
sed -i 's/^/from="192.0.2.1" /' "$work/authorized_keys"
refuse "a key that sshd does not accept logs nobody in" "Permission denied" login -o PKCS11Provider="$module"

# --- ssh-agent, which runs the module in a helper of its own ---

# The agent is set-group-id: it drops LD_LIBRARY_PATH, by which a staged module finds its library.
printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$LD_LIBRARY_PATH" /usr/lib/openssh/ssh-pkcs11-helper >"$work/helper"
chmod 755 "$work/helper"
export SSH_AUTH_SOCK=$work/agent.sock SSH_ASKPASS=/bin/true SSH_ASKPASS_REQUIRE=force
start_agent()
{
	SSH_PKCS11_HELPER=$work/helper spawn "$work/agent.log" ssh-agent -D -a "$SSH_AUTH_SOCK" "$@"
	wait_for 10 test -S "$SSH_AUTH_SOCK"
}
start_agent
refuse "an agent takes no module from a place that it does not know" "agent refused operation" ssh-add -s "$module"
stop_process "$spawned"
start_agent -P "$module"
check "an agent told of the place takes it" ssh-add -s "$module"
check "and has the keys" ssh-add -l
equal "all three" 3 "$(wc -l <"$work/check.out")"
for key in ec rsa; do
	only $key
	check "ssh logs in by the agent with the $key key" used $key login
done
tee_restart KILL
check "and after a restart of the TEE" used rsa login
grep ' rsa$' "$work/keys" >"$work/rsa.ssh"
check "ssh-keygen signs a file by the agent" ssh-keygen -q -Y sign -f "$work/rsa.ssh" -n test "$work/sshd_config"
sed 's/^/me /' "$work/rsa.ssh" >"$work/signers"
# shellcheck disable=SC2016  # for the shell that is started here
check "and verifies it" sh -c 'ssh-keygen -q -Y verify -f "$1/signers" -I me -n test -s "$1/sshd_config.sig" <"$1/sshd_config"' sh "$work"
check "ssh-add takes the module away" ssh-add -e "$module"
refuse "and its keys" "no identities" ssh-add -l

# --- Another user, with the one key that it may use ---

unset SSH_AUTH_SOCK
keyward key allow ec user:nobody >/dev/null
check "another user finds the key that it was allowed" as nobody ssh-keygen -D "$module"
equal "and no other" ec "$(cut -d' ' -f3 "$work/check.out")"
finish
