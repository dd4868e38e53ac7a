#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What `meson install` installs: every file, by name; and a program builds and runs with what it finds by pkg-config.
. "$(dirname "$0")/lib.sh"
scenario install cc pkg-config man
arch=$(dirname "$(find "$KW_STAGE" -name libkeyward.so.0 -printf '%P\n' -quit)")
sed "s|@LIB@|$arch|" "$top/tests/installed_files" | grep -v '^#' | sort >"$work/expected"
(cd "$KW_STAGE" && find . ! -type d -printf '%P\n' | sort) >"$work/found"
if diff "$work/expected" "$work/found" >"$work/diff"; then
	ok "the installed files are those of tests/installed_files"
else
	not_ok "the installed files are those of tests/installed_files (< expected, > found)"
	show_file "$work/diff" 40
fi

export PKG_CONFIG_PATH=$KW_STAGE/$arch/pkgconfig PKG_CONFIG_SYSROOT_DIR=$KW_STAGE
cat >"$work/program.c" <<'C'
#include <keyward/keyward.h>
#include <stdio.h>
#include <string.h>
int main(void)
{
	struct kw *kw = NULL;
	struct kw_status *status = NULL;
	struct kw_options options = {.socket = "/nonexistent/tee.sock"};
	enum kw_err err = kw_new(&options, &kw);
	if (err)
		return 2;
	err = kw_status_new(kw, &status);
	printf("%s\n%s\n", kw_error_name(err), kw_explain());
	kw_free(&kw);
	return err == KW_ERR_NO_TEE && kw_key_type_from_name("ec-p256") == KW_KEY_TYPE_EC_P256 ? 0 : 1;
}
C
# shellcheck disable=SC2046
check "a program builds with the installed header and pkg-config file" \
	cc -Wall -Wextra -Werror -o "$work/program" "$work/program.c" $(pkg-config --cflags --libs libkeyward)
check "it runs and gets an error that makes sense" "$work/program"
# shellcheck disable=SC2046
check "the header is good C++ as well, or there is no C++ here" \
	sh -c 'command -v c++ >/dev/null || exit 0; c++ -Wall -Werror -fsyntax-only -x c++ -include keyward/keyward.h /dev/null "$@"' sh \
	$(pkg-config --cflags libkeyward)
equal "the version of the pkg-config file is that of the program" "$(pkg-config --modversion libkeyward)" \
	"$(keyward --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)"
check "libkeyward needs nothing but the C library" sh -c '! objdump -p "$1" | grep NEEDED | grep -vE "libc.so.6|ld-linux"' sh \
	"$KW_STAGE/$arch/libkeyward.so.0"
for page in "$KW_STAGE"/usr/share/man/man*/*; do
	check "$(basename "$page") renders without a warning" sh -c 'test -z "$(man --warnings -l "$1" 2>&1 >/dev/null)"' sh "$page"
done
for binary in "$KW_STAGE/$arch/libkeyward.so.0" "$kw_modules/keyward.so" "$kw_engines/keyward.so" "$kw_teed" "$KW_STAGE/usr/bin/keyward"; do
	check "$(basename "$(dirname "$binary")")/$(basename "$binary"): all relocations are read-only, no executable stack" sh -c '
		readelf -lW "$1" | grep -q GNU_RELRO && readelf -dW "$1" | grep -q BIND_NOW && ! readelf -lW "$1" | grep GNU_STACK | grep -q RWE' sh "$binary"
done
finish
