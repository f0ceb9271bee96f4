/* backends.c - the list of backends, and the choice of one by name. */
#include "backends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "module.h"

enum { MOST_DEVICES = 16, ANY_DEVICE = -1 };

typedef struct known {
    const char *name;
    const char *file;           /* in the folder of modules */
    hr_module_open_fn *builtin; /* instead of a file */
    bool devices;               /* "name:N" chooses a device */
    bool over_cpu;              /* lays its slots over the CPU's table */
} known;

/* auto tries them in this order; the CPU ends the list. libhirl-onednn.so is not part of this
 * version: the name is reserved for it. */
static const known list[] = {
    { .name = "cuda", .file = "libhirl-cuda.so", .devices = true },
    { .name = "onednn", .file = "libhirl-onednn.so", .over_cpu = true },
    { .name = "cpu", .builtin = hr_cpu_open },
};
enum { CPU = sizeof list / sizeof *list - 1 };

static hirl_status open_cpu(hr_backends *all, const hr_host *host, hirl_context *context)
{
    hr_opening opening = { .context = context, .device = ANY_DEVICE };

    all->chosen = all->on_cpu = &all->cpu;
    return list[CPU].builtin(&all->cpu, host, host->abi, host->build_id, &opening);
}

static void drop_module(hr_backends *all)
{
    if (all->module.close)
        all->module.close(&all->module);
    memset(&all->module, 0, sizeof all->module);
    all->chosen = all->on_cpu = &all->cpu;
}

static hirl_status open_module(hr_backends *all, const known *k, const hr_host *host,
                               const hr_opening *asked)
{
    hr_opening opening = *asked;
    hr_backend *module = &all->module;
    hirl_status status;

    if (k->over_cpu) {
        opening.below = &all->cpu;
        *module = all->cpu;
        module->name = NULL;
        module->state = NULL;
        module->close = NULL;
        module->enter = module->leave = NULL;
    }
    status = hr_module_load(module, k->file, host, &opening);
    if (status < 0) {
        module->close = NULL; /* a module that fails to open frees what it took */
        drop_module(all);
        return status;
    }
    all->chosen = module;
    if (k->over_cpu)
        all->on_cpu = module;
    return HIRL_OK;
}

/* ", cuda, cuda:0 to cuda:15, ..." */
static void names(char *text, size_t room)
{
    size_t used = 0;

    for (int i = 0; i <= CPU && used < room; i++) {
        const char *name = list[i].name;

        used += (size_t)snprintf(text + used, room - used, ", %s", name);
        if (list[i].devices && used < room)
            used += (size_t)snprintf(text + used, room - used, ", %s:0 to %s:%d", name, name,
                                     MOST_DEVICES - 1);
    }
}

/* "name" or, for a module with devices, "name:N" */
static hirl_status find(const known **found, int32_t *device, const char *name)
{
    char known_names[256];

    *device = ANY_DEVICE;
    for (int i = 0; i <= CPU; i++) {
        size_t length = strlen(list[i].name);
        char *end;
        long n;

        *found = &list[i];
        if (!strcmp(name, list[i].name))
            return HIRL_OK;
        if (!list[i].devices || strncmp(name, list[i].name, length) || name[length] != ':' ||
            !name[length + 1])
            continue;
        n = strtol(name + length + 1, &end, 10);
        if (n < 0 || n >= MOST_DEVICES || *end)
            continue;
        *device = (int32_t)n;
        return HIRL_OK;
    }
    names(known_names, sizeof known_names);
    return hr_fail(HIRL_E_INVALID, "backend: \"%s\" is none of auto%s", name, known_names);
}

/* the first module that opens and has every operation, else the CPU */
static void open_best(hr_backends *all, const hr_host *host, const hr_opening *opening)
{
    for (int i = 0; i < CPU; i++) {
        hirl_status status = open_module(all, &list[i], host, opening);
        char line[640];

        if (status >= 0)
            status = hr_backend_complete(all->chosen);
        if (status >= 0)
            return;
        drop_module(all);
        snprintf(line, sizeof line, "backend=auto does not take %s: %s", list[i].name,
                 hr_error_text());
        host->log(opening->context, HIRL_LOG_DEBUG, line);
    }
}

hirl_status hr_backends_open(hr_backends *all, const char *name, const hr_host *host,
                             hirl_context *context)
{
    hr_opening opening = { .context = context, .device = ANY_DEVICE };
    const known *k;

    HR_TRY(open_cpu(all, host, context));
    if (!strcmp(name, "auto")) {
        open_best(all, host, &opening);
        return HIRL_OK;
    }
    HR_TRY(find(&k, &opening.device, name));
    return k == &list[CPU] ? HIRL_OK : open_module(all, k, host, &opening);
}

void hr_backends_close(hr_backends *all)
{
    drop_module(all);
    if (all->cpu.close)
        all->cpu.close(&all->cpu);
}

void hr_backends_enter(const hr_backends *all)
{
    if (all->cpu.enter)
        all->cpu.enter(&all->cpu);
    if (all->module.enter)
        all->module.enter(&all->module);
}

void hr_backends_leave(const hr_backends *all)
{
    if (all->module.leave)
        all->module.leave(&all->module);
    if (all->cpu.leave)
        all->cpu.leave(&all->cpu);
}
