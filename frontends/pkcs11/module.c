/* SPDX-License-Identifier: BSD-2-Clause */
#include "module.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "login.h"
#include "object.h"
#include "session.h"

/* From C_Initialize to C_Finalize, and on until the last call is over that other threads had begun before. */
struct period {
	struct kw *kw;
	pid_t pid; /* that called C_Initialize */
	unsigned calls;
	bool is_over;
};

static struct period *now;                   /* under the lock, as all of it */
static _Thread_local struct period *of_call; /* of this thread's call, if it is in one */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT, libcrypto_once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *libcrypto; /* to the end of the process: nothing runs at unload */

void module_lock(void)
{
	pthread_mutex_lock(&lock);
}

void module_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
	/* The threads that were in calls are not in the child. */
	if (now)
		now->calls = 0;
	session_after_fork();
	module_unlock();
}

/* A child has whole tables, whatever other threads did at the fork (CKF_INTERFACE_FORK_SAFE). */
static void watch_forks(void)
{
	pthread_atfork(module_lock, module_unlock, after_fork_in_child);
}

bool module_is_ready(void)
{
	return now != NULL;
}

struct kw *module_kw(void)
{
	return of_call ? of_call->kw : NULL;
}

/* Under the lock. */
static void free_unused(struct period *p)
{
	if (!p->is_over || p->calls)
		return;
	kw_free(&p->kw);
	free(p);
}

bool module_begin_call(void)
{
	if (!now)
		return false;
	of_call = now;
	of_call->calls++;
	return true;
}

void module_end_call(void)
{
	struct period *p = of_call;

	of_call = NULL;
	p->calls--;
	free_unused(p);
}

CK_RV module_enter(void)
{
	bool ok;

	module_lock();
	ok = module_begin_call();
	module_unlock();
	return ok ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

void module_leave(void)
{
	module_lock();
	module_end_call();
	module_unlock();
}

static void make_libcrypto(void)
{
	libcrypto = OSSL_LIB_CTX_new();
}

OSSL_LIB_CTX *module_libcrypto(void)
{
	return libcrypto;
}

void module_pad(unsigned char *to, size_t size, const char *text)
{
	size_t n = strlen(text);

	memset(to, ' ', size);
	memcpy(to, text, n < size ? n : size);
}

bool module_wants_output(const void *out, CK_ULONG *out_len, size_t needed, CK_RV *rv)
{
	CK_ULONG room = *out_len;

	*out_len = needed;
	if (out && room >= needed)
		return true;
	*rv = out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
	return false;
}

CK_RV module_error(enum kw_err err)
{
	if (err && getenv("KEYWARD_PKCS11_DEBUG"))
		fprintf(stderr, "keyward-pkcs11: %s (%s)\n", kw_explain(), kw_error_name(err));
	switch ((int)err) {
	case KW_ERR_OK:
		return CKR_OK;
	case KW_ERR_PIN:
		return CKR_PIN_INCORRECT;
	case KW_ERR_PIN_LOCKED:
		return CKR_PIN_LOCKED;
	case KW_ERR_NOT_LOGGED_IN:
		login_lost(session_slot_now());
		return CKR_USER_NOT_LOGGED_IN;
	case KW_ERR_NO_TOKEN:
		return CKR_TOKEN_NOT_RECOGNIZED;
	case KW_ERR_NO_KEY:
	case KW_ERR_NOT_LOADED:
		return CKR_KEY_HANDLE_INVALID;
	case KW_ERR_NO_OBJECT:
		return CKR_OBJECT_HANDLE_INVALID;
	case KW_ERR_ACCESS:
	case KW_ERR_PURPOSE:
	case KW_ERR_TLS_MESSAGE:
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	case KW_ERR_NOT_OWNER:
	case KW_ERR_MAY_NOT_CREATE:
		return CKR_ACTION_PROHIBITED;
	case KW_ERR_BAD_ALGORITHM:
		return CKR_MECHANISM_PARAM_INVALID;
	case KW_ERR_MIXED:
		return CKR_TEMPLATE_INCONSISTENT;
	case KW_ERR_BAD_MAC:
		return CKR_SIGNATURE_INVALID;
	case KW_ERR_BAD_KEY:
	case KW_ERR_BAD_NAME:
	case KW_ERR_NAME_TAKEN:
	case KW_ERR_KEY_EXISTS:
		return CKR_ATTRIBUTE_VALUE_INVALID;
	case KW_ERR_TOO_LARGE:
		return CKR_DATA_LEN_RANGE;
	case KW_ERR_DECRYPT:
		return CKR_ENCRYPTED_DATA_INVALID;
	case KW_ERR_STORE_FULL:
	case KW_ERR_LIMIT:
		return CKR_DEVICE_MEMORY;
	case KW_ERR_NO_MEMORY:
		return CKR_HOST_MEMORY;
	case KW_ERR_NO_TEE:
		return CKR_TOKEN_NOT_PRESENT;
	default:
		return CKR_DEVICE_ERROR;
	}
}

static CK_RV check_arguments(const CK_C_INITIALIZE_ARGS *args)
{
	int given;

	if (!args)
		return CKR_OK;
	if (args->pReserved)
		return CKR_ARGUMENTS_BAD;
	given = (args->CreateMutex != NULL) + (args->DestroyMutex != NULL) +
		(args->LockMutex != NULL) + (args->UnlockMutex != NULL);
	if (given != 0 && given != 4)
		return CKR_ARGUMENTS_BAD;
	/* Only the system's own locks are used: the application may insist on others. */
	if (given && !(args->flags & CKF_OS_LOCKING_OK))
		return CKR_CANT_LOCK;
	return CKR_OK;
}

/* Under the lock. */
static void end_period(void)
{
	struct period *p = now;

	session_close_all();
	login_forget_all();
	object_forget_all();
	slot_forget();
	now = NULL;
	if (!p)
		return;
	p->is_over = true;
	free_unused(p);
}

CK_RV C_Initialize(void *init_args)
{
	CK_RV rv = check_arguments(init_args);
	struct period *p = NULL;

	if (rv)
		return rv;
	pthread_once(&fork_once, watch_forks);
	pthread_once(&libcrypto_once, make_libcrypto);
	if (!libcrypto)
		return CKR_HOST_MEMORY;
	module_lock();
	if (now && now->pid == getpid()) {
		rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;
		goto out;
	}
	/* A child that begins anew, as version 2.40 tells it to. */
	end_period();
	rv = CKR_HOST_MEMORY;
	p = calloc(1, sizeof(*p));
	if (!p)
		goto out;
	rv = module_error(kw_new(NULL, &p->kw));
	if (rv)
		goto out;
	p->pid = getpid();
	now = p;
	p = NULL;
out:
	module_unlock();
	free(p);
	return rv == CKR_TOKEN_NOT_PRESENT ? CKR_GENERAL_ERROR : rv;
}

/* Nobody is waited for: the standard leaves open what other threads' calls do (5.4), and here they end as they would have. */
CK_RV C_Finalize(void *reserved)
{
	CK_RV rv = module_enter();

	if (rv)
		return rv;
	if (reserved) {
		module_leave();
		return CKR_ARGUMENTS_BAD;
	}
	module_lock();
	session_close_all();
	module_unlock();
	login_settle();
	module_lock();
	/* Another thread may have been faster. */
	if (now == of_call)
		end_period();
	module_end_call();
	module_unlock();
	return rv;
}

CK_RV C_GetInfo(CK_INFO *info)
{
	if (!module_is_ready())
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (!info)
		return CKR_ARGUMENTS_BAD;
	memset(info, 0, sizeof(*info));
	info->cryptokiVersion.major = 3;
	module_pad(info->manufacturerID, sizeof(info->manufacturerID), "Keyward");
	module_pad(info->libraryDescription, sizeof(info->libraryDescription), "Keyward PKCS #11");
	info->libraryVersion.major = (unsigned char)atoi(KW_VERSION);
	info->libraryVersion.minor = (unsigned char)atoi(strchr(KW_VERSION, '.') + 1);
	return CKR_OK;
}
