/* open.c - opens the data at a path: finds its format. */
#include "data/open.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/below.h"
#include "data/formats.h"

static const hr_format *const all_formats[] = { &hr_format_generated, &hr_format_npy,
                                                &hr_format_idx,       &hr_format_stl10,
                                                &hr_format_cifar,     &hr_format_list,
                                                &hr_format_folder,    NULL };

static hirl_status find_format(const hr_format **found, const char *path)
{

    if (!*path)
        return hr_fail(HIRL_E_INVALID,
                       "data: the path is empty; give a folder or a file, or use data=generated");
    for (int i = 0; all_formats[i]; i++) {
        bool yes = false;

        HR_TRY(all_formats[i]->matches(&yes, path));
        if (yes) {
            *found = all_formats[i];
            return HIRL_OK;
        }
    }
    if (!hr_file_exists(path))
        return hr_fail_errno("open", path);
    return hr_fail(
        HIRL_E_FORMAT,
        "%s is neither a folder nor a JPEG, PNG, CIFAR binary, IDX or .npy file, nor a list of "
        "images (.txt, .csv)",
        path);
}

static hirl_status open_path(hirl_dataset **out, hirl_context *context, const char *path,
                             const hr_data_config *config)
{
    const hr_format *format = NULL;
    hirl_dataset *dataset;
    hirl_status status;

    HR_TRY(find_format(&format, path));
    HR_TRY(hr_dataset_new(&dataset, context, format->name));
    status = format->open(dataset, path, config);
    if (status < 0 && dataset->has_nothing)
        status = hr_below_hint(status, path, all_formats);
    if (status >= 0)
        status = hr_dataset_finish(dataset, config->max_images);
    if (status < 0) {
        hr_dataset_drop(dataset);
        return hr_fail_in(status, path);
    }
    *out = dataset;
    return HIRL_OK;
}

hirl_status hr_dataset_open(hirl_dataset **out, hirl_context *context, const char *path,
                            const hr_data_config *config)
{
    char *plain = hr_strdup(path ? path : config->data);
    hirl_status status;

    if (!plain)
        return HIRL_E_NOMEM;
    for (size_t n = strlen(plain); n > 1 && plain[n - 1] == '/'; n--)
        plain[n - 1] = 0;
    status = open_path(out, context, plain, config);
    hr_free(plain);
    return status;
}
