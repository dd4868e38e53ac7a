/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLIENT_TEST_APIS_H
#define CLIENT_TEST_APIS_H

#include "test_fake_tee.h"

/* One function of the API: the bytes it must send, a good reply, and the call, which fails the test
 * when a reply that it accepts is not understood as it should. */
struct api {
	const char *name;
	uint16_t command;
	void (*request)(struct writer *w);
	void (*reply)(struct writer *w);
	enum kw_err (*run)(struct kw *kw);
};

extern const struct api apis[];
extern const size_t api_count;

#endif
