/* SPDX-License-Identifier: BSD-2-Clause */
#include "object.h"

#include <string.h>
#include <utee_syscalls.h>

#define FLAGS \
	(TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE | TEE_DATA_FLAG_ACCESS_WRITE_META)

enum kw_err object_failure(const char *what, const char *name, TEE_Result result)
{
	if (result == TEE_ERROR_CORRUPT_OBJECT) {
		platform_log("store: OP-TEE found \"%s\" damaged, and has removed it", name);
		return KW_ERR_CORRUPT;
	}
	platform_log("store: cannot %s \"%s\" (0x%08x)", what, name, (unsigned)result);
	switch (result) {
	case TEE_ERROR_STORAGE_NO_SPACE:
	case TEE_ERROR_OUT_OF_MEMORY: /* OP-TEE's own, which it needs for every block */
		return KW_ERR_STORE_FULL;
	case TEE_ERROR_ACCESS_CONFLICT:
		return KW_ERR_STORE_BUSY;
	default:
		return KW_ERR_STORE_IO;
	}
}

TEE_Result object_open(uint32_t storage, const char *name, object_handle *object)
{
	*object = 0;
	return _utee_storage_obj_open(storage, name, strlen(name), FLAGS, object);
}

TEE_Result object_create(const char *name, object_handle *object)
{
	*object = 0;
	return _utee_storage_obj_create(
		TEE_STORAGE_PRIVATE, name, strlen(name), FLAGS, 0, NULL, 0, object);
}

void object_close(object_handle *object)
{
	if (*object)
		(void)_utee_cryp_obj_close(*object);
	*object = 0;
}

enum kw_err object_remove(const char *name)
{
	object_handle object;
	TEE_Result result;

	result = object_open(TEE_STORAGE_PRIVATE, name, &object);
	/* A damaged one is gone by having been looked at. */
	if (result == TEE_ERROR_ITEM_NOT_FOUND || result == TEE_ERROR_CORRUPT_OBJECT)
		return KW_ERR_OK;
	if (!result)
		result = _utee_storage_obj_del(object); /* closes it in any case */
	return result ? object_failure("remove", name, result) : KW_ERR_OK;
}

TEE_Result object_seek(object_handle object, uint64_t offset)
{
	if (offset > INT32_MAX)
		return TEE_ERROR_OVERFLOW;
	return _utee_storage_obj_seek(object, (int32_t)offset, TEE_DATA_SEEK_SET);
}
