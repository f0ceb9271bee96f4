/* module.c - backends in files of their own: found, opened, checked.
 *
 * Searched: the folder in HIRL_BACKEND_PATH; where it is not set, the one given at build time; never the working
 * directory. A module is never closed again: drivers keep threads and exit handlers in it.
 */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "host.h"

#ifndef HR_MODULE_FOLDER
#define HR_MODULE_FOLDER "/usr/lib/hirl"
#endif
#ifndef HR_BUILD_ID
#define HR_BUILD_ID "unnamed build"
#endif

static hirl_status fail(hirl_status status, const char *text)
{
    return hr_fail(status, "%s", text);
}

static const hr_host host = { HR_MODULE_ABI, HR_BUILD_ID, fail, hr_alloc, hr_free };

/* dlopen maps what the program headers promise and dies of a file that was cut short: look first */
static hirl_status check_whole(const char *path)
{
    ElfW(Ehdr) head = { 0 };
    ElfW(Phdr) part = { 0 };
    FILE *file = fopen(path, "rbe");
    bool whole;
    long size;

    if (!file)
        return hr_fail_errno("opening", path);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    whole = fread(&head, sizeof head, 1, file) == 1 && !memcmp(head.e_ident, ELFMAG, SELFMAG) &&
            head.e_phentsize == sizeof part && !fseek(file, (long)head.e_phoff, SEEK_SET);
    for (int i = 0; i < head.e_phnum && whole; i++)
        whole = fread(&part, sizeof part, 1, file) == 1 && part.p_offset <= (size_t)size &&
                part.p_filesz <= (size_t)size - part.p_offset;
    fclose(file);
    if (!whole)
        return hr_fail(HIRL_E_BACKEND_UNAVAILABLE, "module %s: no shared library, or cut short",
                       path);
    return HIRL_OK;
}

static hirl_status open_file(hr_backend *backend, const char *path, int32_t device)
{
    hr_module_open_fn *entry;
    void *module;

    HR_TRY(check_whole(path));
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return hr_fail(HIRL_E_BACKEND_UNAVAILABLE, "module: %s", dlerror());
    *(void **)&entry = dlsym(module, HR_MODULE_SYMBOL);
    if (!entry)
        return hr_fail(HIRL_E_BACKEND_UNAVAILABLE, "module %s: no symbol %s", path,
                       HR_MODULE_SYMBOL);
    return entry(backend, &host, HR_MODULE_ABI, HR_BUILD_ID, device);
}

static hirl_status try_folder(hr_backend *backend, const char *folder, const char *file,
                              int32_t device)
{
    char *path = hr_path_join(folder, file);
    hirl_status status;

    if (!path)
        return HIRL_E_NOMEM;
    if (hr_file_exists(path))
        status = open_file(backend, path, device);
    else
        status = hr_fail(HIRL_E_BACKEND_UNAVAILABLE, "module: there is no %s", path);
    hr_free(path);
    return status;
}

hirl_status hr_module_load(hr_backend *backend, const char *file, int32_t device)
{
    const char *folder = secure_getenv("HIRL_BACKEND_PATH");

    if (folder && folder[0])
        return try_folder(backend, folder, file, device);
    return try_folder(backend, HR_MODULE_FOLDER, file, device);
}

int hr_backend_missing(char *text, size_t bytes, const hr_backend *backend)
{
    enum { NAMED = 4 };
    int missing = 0;
    size_t at = 0;

    text[0] = 0;
#define OP(type, op, ...)                                                                          \
    if (!backend->op && ++missing <= NAMED && at < bytes)                                          \
        at += (size_t)snprintf(text + at, bytes - at, "%s%s", at ? ", " : "", #op);
    HR_BACKEND_OPS(OP)
#undef OP
    if (missing > NAMED && at < bytes)
        snprintf(text + at, bytes - at, " and %d more", missing - NAMED);
    return missing;
}

hirl_status hr_backend_complete(const hr_backend *backend)
{
    char names[256];

    if (!hr_backend_missing(names, sizeof names, backend))
        return HIRL_OK;
    return hr_fail(HIRL_E_UNSUPPORTED,
                   "%s: this needs operations that the backend has not yet: %s; use backend=cpu",
                   backend->name, names);
}
