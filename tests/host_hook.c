/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A keyward-teed that makes any system call it is asked for, linked with --wrap=kw_dispatch: what
 * an attacker could do who took over the TEE. Never installed. Command HOOK: u16 system call, u8
 * which argument is the string (0xff: none), u64 ×6 arguments, the string. Reply: u64 result, or
 * -errno.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/core.h"
#include "wire/codec.h"

#define HOOK 0x7ffe

enum kw_err __real_kw_dispatch(struct core *core, const struct session *session, uint16_t command,
	const uint8_t *request, size_t request_len, uint8_t *reply, size_t reply_cap,
	size_t *reply_len);
enum kw_err __wrap_kw_dispatch(struct core *core, const struct session *session, uint16_t command,
	const uint8_t *request, size_t request_len, uint8_t *reply, size_t reply_cap,
	size_t *reply_len);

static enum kw_err call_system(struct reader *r, struct writer *w)
{
	char string[256] = {0};
	uint64_t args[6];
	uint16_t nr = get_u16(r);
	uint8_t which = get_u8(r);
	size_t n;
	long result;

	for (unsigned i = 0; i < 6; i++)
		args[i] = get_u64(r);
	n = reader_left(r);
	if (r->failed || n >= sizeof(string))
		return KW_ERR_BAD_REQUEST;
	get_copy(r, string, n);
	if (which < 6)
		args[which] = (uint64_t)(uintptr_t)string;
	result = syscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	put_u64(w, (uint64_t)(result < 0 ? -errno : result));
	return KW_ERR_OK;
}

enum kw_err __wrap_kw_dispatch(struct core *core, const struct session *session, uint16_t command,
	const uint8_t *request, size_t request_len, uint8_t *reply, size_t reply_cap,
	size_t *reply_len)
{
	struct reader r = reader_over(request, request_len);
	struct writer w = writer_over(reply, reply_cap);
	enum kw_err err;

	if (command != HOOK)
		return __real_kw_dispatch(
			core, session, command, request, request_len, reply, reply_cap, reply_len);
	err = call_system(&r, &w);
	*reply_len = err ? 0 : w.len;
	return err;
}
