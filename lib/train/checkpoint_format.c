/* checkpoint_format.c - the metadata that marks a file as a checkpoint of a run. */
#include "train/checkpoint_format.h"

#include <string.h>

#include "base/error.h"

#define FORMAT "hirl-checkpoint"
enum { VERSION = 1 };

hirl_status hr_checkpoint_mark(hr_tensors *out)
{
    HR_TRY(hr_tensors_set_text(out, "format", FORMAT));
    return hr_tensors_set_int(out, "version", VERSION);
}

hirl_status hr_checkpoint_check(const hr_tensors *in)
{
    const char *format = hr_tensors_text(in, "format");
    int64_t version;

    if (!format || strcmp(format, FORMAT))
        return hr_fail(HIRL_E_FORMAT,
                       "not a checkpoint of a training run (metadata \"format\" is %s)",
                       format ? format : "missing");
    HR_TRY(hr_tensors_int(&version, in, "version"));
    if (version > VERSION)
        return hr_fail(HIRL_E_VERSION,
                       "checkpoint: version is %lld, this library reads versions up to %d",
                       (long long)version, VERSION);
    if (in->foreign)
        return hr_fail(HIRL_E_FORMAT,
                       "checkpoint: another program wrote this file again, so the run could not "
                       "resume with the same bits; it can only be loaded as a model");
    return HIRL_OK;
}
