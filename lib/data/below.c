/* below.c - finds data one or two folders below a folder without images.
 *
 * Programs that download data make such folders: torchvision puts MNIST into MNIST/raw. Its CIFAR
 * files are Python pickles, which this library does not read; the message names the binary files.
 */
#include "data/below.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

enum { LEVELS = 2 };

static bool is_pickle(const char *name)
{
    return !strcmp(name, "batches.meta");
}

static bool is_meta(const char *name)
{
    return !strcmp(name, "meta");
}

/* The folders that the Python archives of CIFAR-10 and CIFAR-100 unpack to. */
static hirl_status holds_pickles(bool *yes, const char *folder)
{
    bool ten = false, hundred = false;

    HR_TRY(hr_folder_has(&ten, folder, is_pickle));
    if (!ten && strstr(folder, "cifar-100"))
        HR_TRY(hr_folder_has(&hundred, folder, is_meta));
    *yes = ten || hundred;
    return HIRL_OK;
}

/* HIRL_OK: there is no data in this folder; the failure names the data that is there. */
static hirl_status look_at(const char *folder, const hr_format *const *formats)
{
    bool yes = false;

    HR_TRY(holds_pickles(&yes, folder));
    if (yes)
        return hr_fail(HIRL_E_FORMAT,
                       "no images found: the CIFAR files in %s are Python pickles; get the binary "
                       "version (cifar-10-binary.tar.gz or cifar-100-binary.tar.gz) and unpack it",
                       folder);
    for (int i = 0; formats[i]; i++) {
        if (!strcmp(formats[i]->name, "folder"))
            continue;
        HR_TRY(formats[i]->matches(&yes, folder));
        if (yes)
            return hr_fail(HIRL_E_FORMAT,
                           "no images found here, but there is data of the format %s in a folder "
                           "below: use data=%s",
                           formats[i]->name, folder);
    }
    return HIRL_OK;
}

static hirl_status look_below(const char *folder, const hr_format *const *formats, int levels)
{
    hr_entry *entry;
    int64_t count;
    hirl_status status = HIRL_OK;

    HR_TRY(hr_folder_entries(&entry, &count, folder));
    for (int64_t i = 0; i < count && status >= 0; i++) {
        char *path;

        if (entry[i].kind != HR_ENTRY_FOLDER)
            continue;
        path = hr_path_join(folder, entry[i].name);
        status = path ? look_at(path, formats) : HIRL_E_NOMEM;
        if (status >= 0 && levels > 1)
            status = look_below(path, formats, levels - 1);
        hr_free(path);
    }
    hr_entries_free(entry, count);
    return status;
}

hirl_status hr_below_hint(hirl_status failed, const char *path, const hr_format *const *formats)
{
    hr_error before;
    bool pickles = false;
    hirl_status status;

    hr_error_keep(&before, failed);
    status = holds_pickles(&pickles, path);
    if (status >= 0)
        status = pickles ? look_at(path, formats) : look_below(path, formats, LEVELS);
    return status == HIRL_E_FORMAT || status == HIRL_E_NOMEM ? status : hr_error_raise(&before);
}
