/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds libteec at run time: one build serves machines with and without OP-TEE. */
#include "tee_client.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

static const struct {
	const char *name;
	size_t at; /* in struct tee_client */
} functions[] = {
	{"TEEC_InitializeContext", offsetof(struct tee_client, initialize)},
	{"TEEC_FinalizeContext", offsetof(struct tee_client, finalize)},
	{"TEEC_OpenSession", offsetof(struct tee_client, open_session)},
	{"TEEC_CloseSession", offsetof(struct tee_client, close_session)},
	{"TEEC_InvokeCommand", offsetof(struct tee_client, invoke)},
	{"TEEC_AllocateSharedMemory", offsetof(struct tee_client, allocate)},
	{"TEEC_ReleaseSharedMemory", offsetof(struct tee_client, release)},
};

/* No lock, for a fork may happen while another thread is in here: two may load it, one wins. */
static _Atomic(struct tee_client *) loaded;

/* The threads of transport_optee.c outlive the calls that started them, so a program that unloads
 * this library must not take their code away. */
static void stay_loaded(void)
{
	static const char here;
	Dl_info self;

	if (dladdr(&here, &self) && self.dli_fname)
		dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/* Why it failed is what the loader said of the newer one. */
static void *open_library(char *why, size_t size)
{
	void *library = dlopen("libteec.so.2", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (library)
		return library;
	snprintf(why, size, "%s", dlerror());
	return dlopen("libteec.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

const struct tee_client *tee_client_load(void)
{
	struct tee_client *c = atomic_load(&loaded);
	struct tee_client *other = NULL;
	void *library;
	char why[200];

	if (c)
		return c;
	library = open_library(why, sizeof(why));
	if (!library) {
		explain(KW_ERR_NO_TEE,
			"OP-TEE's client library cannot be loaded (%s); install libteec2, or use "
			"the host TEE: --tee host",
			why);
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		explain(KW_ERR_NO_TEE, "there is no memory for OP-TEE's client library");
		goto out;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *f = dlsym(library, functions[i].name);

		if (!f) {
			explain(KW_ERR_NO_TEE,
				"OP-TEE's client library has no function %s; install libteec2",
				functions[i].name);
			free(c);
			c = NULL;
			goto out;
		}
		*(void **)(void *)((char *)c + functions[i].at) = f;
	}
	stay_loaded();
	if (!atomic_compare_exchange_strong(&loaded, &other, c)) {
		free(c);
		c = other;
	}
out:
	dlclose(library);
	return c;
}
