/* environment.c - env.json of a run: build, processor, threads and data at its last start.
 *
 *   {"hirl":"libhirl 0.1.0 (abi 1); compiler: ..","backend":"cpu","threads":2,"processor":"..",
 *    "data":"folder: 64 images ..","time":1785312000,"step":0}
 *
 * Together with config.yaml this determines the results bit for bit: another build or processor may
 * round differently.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "build.h"
#include "context.h"
#include "train/directory.h"
#include "train/environment.h"
#include "train/run.h"

/* "unknown" if /proc/cpuinfo has no name */
static void name_processor(char *name, size_t bytes)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];

    snprintf(name, bytes, "unknown");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "model name", strlen("model name")) && strchr(line, ':')) {
            snprintf(name, bytes, "%s", strchr(line, ':') + 2);
            name[strcspn(name, "\n")] = 0;
            break;
        }
    if (file)
        fclose(file);
}

hirl_status hr_trainer_environment(hirl_trainer *trainer)
{
    char processor[256], text[4096];
    size_t bytes;
    json_t *object;

    if (!trainer->directory.path)
        return HIRL_OK;
    name_processor(processor, sizeof processor);
    object = json_pack("{ss ss si ss ss sI sI}", "hirl", hr_build_info(), "backend",
                       hr_context_backend(trainer->context)->name, "threads",
                       hr_pool_threads(hr_context_pool(trainer->context)), "processor", processor,
                       "data", trainer->dataset->summary, "time", (json_int_t)time(NULL), "step",
                       (json_int_t)trainer->progress.step);
    bytes = object ? json_dumpb(object, text, sizeof text - 2, JSON_INDENT(1)) : 0;
    json_decref(object);
    if (!bytes || bytes > sizeof text - 2)
        return hr_fail(HIRL_E_NOMEM, "out of memory: env.json");
    memcpy(text + bytes, "\n", 2);
    return hr_directory_write(&trainer->directory, "env.json", text);
}
