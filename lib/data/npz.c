/* npz.c - NumPy's .npz archives: zip files of .npy files, read with libzip.
 *
 * The array is unpacked into memory. Its size is known before: an archive that claims more than
 * deflate can pack into its bytes is refused.
 */
#include "data/npz.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

hirl_status hr_is_npz(bool *yes, const char *path)
{
    char head[4];
    uint64_t bytes;
    int fd;

    *yes = false;
    if (hr_is_folder(path) || !hr_file_exists(path))
        return HIRL_OK;
    HR_TRY(hr_file_open(&fd, &bytes, path));
    *yes = bytes >= sizeof head && hr_file_read_at(fd, head, sizeof head, 0, path) >= 0 &&
           (!memcmp(head, "PK\3\4", 4) || !memcmp(head, "PK\5\6", 4));
    close(fd);
    return HIRL_OK;
}

#ifndef HR_HAVE_ZIP

hirl_status hr_npz_open(hr_npy *npy, const char *path, const char *array)
{
    (void)npy;
    (void)array;
    return hr_fail(HIRL_E_UNSUPPORTED,
                   "%s: this build reads no .npz archives, because libzip was missing; save the "
                   "array with numpy.save",
                   path);
}

#else

#include <stdio.h>
#include <zip.h>

#include "base/alloc.h"
#include "base/memory.h"

enum { DEFLATE_RATIO = 1032, NAMES = 400 };

/* "z" is the file z.npy */
static bool is_named(const char *file, const char *array)
{
    size_t n = strlen(array);

    return !strncmp(file, array, n) && (!file[n] || !strcmp(file + n, ".npy"));
}

static bool is_array(const char *file)
{
    size_t n = strlen(file);

    return n > 4 && !strcmp(file + n - 4, ".npy");
}

/* The index of the array; the names of all are listed for the message. */
static hirl_status choose(zip_uint64_t *index, zip_t *zip, const char *path, const char *array)
{
    zip_int64_t count = zip_get_num_entries(zip, 0);
    char names[NAMES] = "";
    size_t used = 0;
    int fits = 0;

    for (zip_int64_t i = 0; i < count; i++) {
        const char *file = zip_get_name(zip, (zip_uint64_t)i, 0);

        if (!file || !is_array(file))
            continue;
        if (used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%.*s", used ? ", " : "",
                                     (int)strlen(file) - 4, file);
        if (*array && !is_named(file, array))
            continue;
        *index = (zip_uint64_t)i;
        fits++;
    }
    if (fits == 1)
        return HIRL_OK;
    if (!used)
        return hr_fail(HIRL_E_FORMAT, "%s: the archive holds no .npy array", path);
    if (*array)
        return hr_fail(HIRL_E_INVALID, "features_array: %s has no array '%.60s'; it has: %s", path,
                       array, names);
    return hr_fail(HIRL_E_INVALID, "%s holds several arrays; choose one with features_array=: %s",
                   path, names);
}

static hirl_status check_size(const zip_stat_t *info, const char *path)
{
    const zip_uint64_t need = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_ENCRYPTION_METHOD;
    int64_t available = hr_memory_available();

    if ((info->valid & need) != need || info->encryption_method != ZIP_EM_NONE)
        return hr_fail(HIRL_E_UNSUPPORTED, "%s: an encrypted archive is not supported", path);
    if (info->size / DEFLATE_RATIO > info->comp_size)
        return hr_fail(HIRL_E_FORMAT, "%s: %llu bytes claim to unpack to %llu", path,
                       (unsigned long long)info->comp_size, (unsigned long long)info->size);
    if (info->size > (uint64_t)available)
        return hr_fail(HIRL_E_NOMEM, "out of memory: the array of %s has %llu bytes, %lld are left",
                       path, (unsigned long long)info->size, (long long)available);
    return HIRL_OK;
}

/* Reads exactly the size that the archive states; closing checks the checksum. */
static hirl_status unpack(uint8_t *data, zip_t *zip, zip_uint64_t index, zip_uint64_t bytes,
                          const char *path)
{
    zip_file_t *file = zip_fopen_index(zip, index, 0);
    zip_uint64_t done = 0;
    zip_int64_t got = 1;
    uint8_t more;

    if (!file)
        return hr_fail(HIRL_E_FORMAT, "%s: %s", path, zip_strerror(zip));
    while (done < bytes && got > 0) {
        got = zip_fread(file, data + done, bytes - done);
        done += got > 0 ? (zip_uint64_t)got : 0;
    }
    if (got >= 0 && done == bytes)
        got = zip_fread(file, &more, 1); /* the end: libzip compares the checksum here */
    if (zip_fclose(file) || got || done != bytes)
        return hr_fail(HIRL_E_FORMAT, "%s: the array is damaged: %llu of %llu bytes can be read",
                       path, (unsigned long long)done, (unsigned long long)bytes);
    return HIRL_OK;
}

static hirl_status open_array(hr_npy *npy, zip_t *zip, const char *path, const char *array)
{
    zip_uint64_t index = 0;
    zip_stat_t info;
    hirl_status status;
    uint8_t *data;

    HR_TRY(choose(&index, zip, path, array));
    if (zip_stat_index(zip, index, 0, &info))
        return hr_fail(HIRL_E_FORMAT, "%s: %s", path, zip_strerror(zip));
    HR_TRY(check_size(&info, path));
    data = hr_alloc(info.size ? info.size : 1);
    if (!data)
        return HIRL_E_NOMEM;
    status = unpack(data, zip, index, info.size, path);
    if (status < 0) {
        hr_free(data);
        return status;
    }
    status = hr_npy_open_memory(npy, data, info.size, path);
    return status < 0 ? hr_fail_in(status, path) : status;
}

hirl_status hr_npz_open(hr_npy *npy, const char *path, const char *array)
{
    hirl_status status;
    zip_t *zip;
    int code;

    zip = zip_open(path, ZIP_RDONLY, &code);
    if (!zip)
        return code == ZIP_ER_MEMORY ? hr_fail(HIRL_E_NOMEM, "out of memory: opening %s", path)
                                     : hr_fail(HIRL_E_FORMAT, "%s: a damaged zip archive", path);
    status = open_array(npy, zip, path, array);
    zip_discard(zip);
    return status;
}

#endif
