/* result.c - the file that a finished run leaves in its directory: a model or a classifier. */
#include "train/result.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "context.h"
#include "train/run.h"

hirl_status hr_result_write(const hirl_trainer *trainer)
{
    char *path;
    hirl_status status;

    if (!trainer->task->save || !hr_directory_writes(&trainer->directory))
        return HIRL_OK;
    path = hr_path_join(trainer->directory.path, trainer->task->result);
    status = path ? trainer->task->save(trainer, path) : HIRL_E_NOMEM;
    hr_free(path);
    return status;
}

/* *whole: the file can be read, and its checksums fit. */
static hirl_status check(bool *whole, const hirl_trainer *trainer)
{
    char *path = hr_path_join(trainer->directory.path, trainer->task->result);
    hirl_status status = HIRL_E_NOMEM;
    hr_tensors list;

    hr_tensors_init(&list);
    if (path)
        status = hr_tensors_load(&list, path);
    *whole = status >= 0 && !list.foreign;
    hr_tensors_done(&list);
    hr_free(path);
    return status == HIRL_E_NOMEM ? status : HIRL_OK;
}

hirl_status hr_result_restore(const hirl_trainer *trainer)
{
    bool whole, finished = trainer->progress.step == trainer->progress.steps;

    if (!trainer->task->save || !hr_directory_writes(&trainer->directory) || !finished ||
        trainer->progress.epoch_open)
        return HIRL_OK;
    HR_TRY(check(&whole, trainer));
    if (whole)
        return HIRL_OK;
    hr_log(trainer->context, HIRL_LOG_WARNING,
           "%s of the finished run is lost or damaged, and is written again",
           trainer->task->result);
    return hr_result_write(trainer);
}
