/* module.c - backends in files of their own: found, opened, checked.
 *
 * A module is searched in the folder in HIRL_BACKEND_PATH or, when that is not set, in the one that
 * was given at build time; never in the working directory. It is never closed again: drivers keep
 * threads and exit handlers in it.
 */
#include "module.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

#ifndef HR_MODULE_FOLDER
#define HR_MODULE_FOLDER "/usr/lib/hirl"
#endif

/* dlopen maps what the program headers promise, and crashes on a file that was cut short. This
 * check comes before it. */
static hirl_status check_whole(const char *path)
{
    ElfW(Ehdr) head = { 0 };
    ElfW(Phdr) part = { 0 };
    struct stat kind;
    FILE *file;
    bool whole;
    long size;

    if (!stat(path, &kind) && !S_ISREG(kind.st_mode)) /* opening a pipe would wait for its writer */
        return hr_fail(HIRL_E_BACKEND_UNAVAILABLE, "module %s: not a regular file", path);
    file = fopen(path, "rbe");
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

static hirl_status open_file(hr_backend *backend, const char *path, const hr_host *host,
                             const hr_opening *opening)
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
    return entry(backend, host, host->abi, host->build_id, opening);
}

static hirl_status try_folder(hr_backend *backend, const char *folder, const char *file,
                              const hr_host *host, const hr_opening *opening)
{
    char *path = hr_path_join(folder, file);
    hirl_status status;

    if (!path)
        return HIRL_E_NOMEM;
    if (hr_file_exists(path))
        status = open_file(backend, path, host, opening);
    else
        status = hr_fail(HIRL_E_BACKEND_UNAVAILABLE, "module: there is no %s", path);
    hr_free(path);
    return status;
}

hirl_status hr_module_load(hr_backend *backend, const char *file, const hr_host *host,
                           const hr_opening *opening)
{
    const char *folder = secure_getenv("HIRL_BACKEND_PATH");

    if (folder && folder[0])
        return try_folder(backend, folder, file, host, opening);
    return try_folder(backend, HR_MODULE_FOLDER, file, host, opening);
}
