/* SPDX-License-Identifier: BSD-2-Clause */
/* Why OP-TEE cannot be used, and what to do about it. */
#ifndef CLIENT_EXPLAIN_OPTEE_H
#define CLIENT_EXPLAIN_OPTEE_H

#include "transport.h"

/* True also when that cannot be seen from here. */
bool supplicant_runs(void);
/* TEEC_InitializeContext failed: it does not say why, so this looks for itself. */
enum kw_err explain_device(const struct kw *kw, uint32_t result);
/* TEEC_AllocateSharedMemory failed. */
enum kw_err explain_shared_memory(uint32_t result);
/* TEEC_OpenSession failed. */
enum kw_err explain_session(const struct kw *kw, uint32_t result, uint32_t origin);
/* Opening, or a call, lasts longer than its deadline. */
enum kw_err explain_slow(const struct deadline *d, bool opening);
/* So many earlier calls of this process are still in OP-TEE, although their deadlines are over. */
enum kw_err explain_stuck(unsigned n);

/* What to do when OP-TEE finds its storage damaged. It removes what it found so: waiting does not help. */
#define OPTEE_DAMAGED                                                                              \
	"put the files of tee-supplicant back from a backup (/var/lib/optee-client/data/tee), or " \
	"remove all of them to begin anew without any key, and start the machine again"

#endif
