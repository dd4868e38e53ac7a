#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What is said when a part of OP-TEE is not there. Before other tests: a Trusted Application that was loaded once stays.
. "${0%/*}/lib"

export KEYWARD_TEE=optee
ta=$(echo /usr/lib/optee_armtz/5d0f7c5e-*.ta)
library=/usr/lib/aarch64-linux-gnu/libteec.so.2
running() { pidof tee-supplicant; }
stopped() { ! pidof tee-supplicant; }
start() { tee-supplicant -d; }
give_device()
{
	chown root:teeclnt /dev/tee0
	chmod "${1:-660}" /dev/tee0
}

mv "$library" "$library.away"
refuse "without libteec" "client library cannot be loaded .*libteec.so.2.*install libteec2.*--tee host" keyward status
mv "$library.away" "$library"

give_device 600
refuse "a device for root alone" "user alice .* may not use /dev/tee0; a udev rule" as alice keyward status
give_device
refuse "a user who is not in its group" "user nobody .* open to the group 'teeclnt': usermod" as nobody keyward status

mv "$ta" "$ta.away"
if keyward status >/dev/null 2>&1; then
	echo "# the Trusted Application is loaded already: that it is missing is not tried"
else
	refuse "without the Trusted Application" "does not find Keyward's .*install 5d0f7c5e-.*ta in /lib/optee_armtz" keyward status
	cp "$ta.away" "$ta"
	printf 'X' | dd of="$ta" bs=1 seek=2000 conv=notrunc 2>/dev/null
	refuse "with a damaged one" "does not accept Keyward's .*damaged.*signed with a key" keyward status
fi
mv "$ta.away" "$ta"
kill "$(pidof tee-supplicant)"
check "tee-supplicant ends" wait_for 10 stopped
refuse "without the driver" "no /dev/tee0; load OP-TEE's driver: modprobe optee" sh -c 'rmmod optee && keyward status'
insmod /lib/modules/optee.ko 2>/dev/null || insmod /lib/modules/*optee*.ko
check "the driver comes back" wait_for 20 test -e /dev/teepriv0
give_device
chmod 600 /dev/teepriv0
check "and tee-supplicant" wait_for 20 start
check "then all is well" keyward status
finish
