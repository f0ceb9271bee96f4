/* walk.c - everything that lies in a folder and its subfolders, as one list of paths.
 *
 * The folder of a run of this library has a config.yaml that a run wrote and the folder
 * checkpoints, or a checkpoint named last. The data may lie in such a folder, but it never holds
 * one.
 */
#include "data/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/image.h"

enum { DEPTH = 32 };

/* A folder on the path from the root. Device and file number reveal a link to a folder above. */
typedef struct place {
    const struct place *above;
    const char *path; /* below the root; "" for the root */
    int depth;
    dev_t device;
    ino_t number;
} place;

bool hr_is_image_name(const char *file)
{
    const char *dot = strrchr(file, '.');

    return dot &&
           (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") || !strcasecmp(dot, ".png") ||
            !strcasecmp(dot, ".jfif") || !strcasecmp(dot, ".jpe"));
}

/* Files with these endings are no images, so that they need not be opened. */
static bool is_other_name(const char *file)
{
    static const char *const ending[] = { ".txt", ".csv", ".tsv", ".json", ".xml",  ".yaml",
                                          ".yml", ".md",  ".npy", ".npz",  ".html", ".log",
                                          ".zip", ".tar", ".gz",  ".mp4",  ".mov",  ".py" };
    const char *dot = strrchr(file, '.');

    for (size_t i = 0; dot && i < sizeof ending / sizeof *ending; i++)
        if (!strcasecmp(dot, ending[i]))
            return true;
    return false;
}

/* Whether the first bytes of a file with another name are those of an image. */
static bool begins_as_image(const hr_walk *walk, const char *path)
{
    char *full = hr_path_join(walk->root, path);
    uint8_t first[16];
    ssize_t n = -1;
    int file = full ? open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

    if (file >= 0) {
        n = read(file, first, sizeof first);
        close(file);
    }
    hr_free(full);
    return n > 0 && hr_is_image(first, (size_t)n);
}

const char *hr_walk_path(const hr_walk *walk, int64_t index)
{
    return walk->text.data + walk->found[index].path;
}

static hirl_status add(hr_walk *walk, const char *path, hr_found_kind kind)
{
    bool folder = kind == HR_FOUND_EMPTY || kind == HR_FOUND_CLOSED;
    hr_found *grown = hr_grow_array(walk->found, &walk->room, walk->count, sizeof *grown);
    hr_found found = { .kind = kind };

    if (!grown)
        return HIRL_E_NOMEM;
    walk->found = grown;
    HR_TRY(hr_text_add(&found.path, &walk->text, path, strlen(path) + folder));
    if (folder)
        walk->text.data[walk->text.used - 2] = '/';
    walk->found[walk->count++] = found;
    return HIRL_OK;
}

/* ---- folders that are no data ---- */

static bool is_of_a_system(const char *name)
{
    static const char *const names[] = { "__MACOSX", "@eaDir", "$RECYCLE.BIN", "lost+found",
                                         "System Volume Information" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* Whether the file `name` of a folder begins with a text; an empty text: whether it exists. */
static hirl_status has_file(bool *yes, const char *folder, const char *name, const char *begin)
{
    char *path = hr_path_join(folder, name), head[16] = "";
    uint64_t bytes;
    int file;

    *yes = false;
    if (!path)
        return HIRL_E_NOMEM;
    if (hr_file_exists(path) && hr_file_open(&file, &bytes, path) >= 0) {
        size_t n = strlen(begin);

        *yes =
            bytes >= n && hr_file_read_at(file, head, n, 0, path) >= 0 && !memcmp(head, begin, n);
        close(file);
    }
    hr_free(path);
    return HIRL_OK;
}

static hirl_status is_a_run(bool *yes, const char *folder, const hr_entry *entry, int64_t count)
{
    bool settings = false, checkpoints = false;

    for (int64_t i = 0; i < count; i++) {
        settings |= entry[i].kind == HR_ENTRY_FILE && !strcmp(entry[i].name, "config.yaml");
        checkpoints |= entry[i].kind == HR_ENTRY_FOLDER && !strcmp(entry[i].name, "checkpoints");
    }
    *yes = false;
    if (settings && checkpoints)
        HR_TRY(has_file(yes, folder, "config.yaml", "hirl: "));
    if (checkpoints && !*yes)
        HR_TRY(has_file(yes, folder, "checkpoints/last.safetensors", ""));
    return HIRL_OK;
}

/* Images in the folder of a run are not used, and a warning names them. */
static void warn_of_run(const hr_walk *walk, const char *path, const hr_entry *entry, int64_t count)
{
    int64_t images = 0;

    for (int64_t i = 0; i < count; i++)
        images += entry[i].kind == HR_ENTRY_FILE && hr_is_image_name(entry[i].name);
    if (images)
        hr_log(walk->context, HIRL_LOG_WARNING,
               "the folder %s holds a run, so its images (%lld) are left out", path,
               (long long)images);
}

/* ---- walking ---- */

static bool leads_back(const place *at)
{
    for (const place *p = at->above; p; p = p->above)
        if (p->device == at->device && p->number == at->number)
            return true;
    return false;
}

static hirl_status walk_folder(hr_walk *walk, const place *at);

static hirl_status enter(hr_walk *walk, const place *above, const char *path)
{
    place at = { .above = above, .path = path, .depth = above->depth + 1 };
    char *full = hr_path_join(walk->root, path);
    struct stat info;
    bool gone;

    if (!full)
        return HIRL_E_NOMEM;
    gone = stat(full, &info) != 0;
    hr_free(full);
    if (gone)
        return add(walk, path, HR_FOUND_CLOSED);
    at.device = info.st_dev;
    at.number = info.st_ino;
    if (leads_back(&at))
        return HIRL_OK;
    return at.depth > DEPTH ? add(walk, path, HR_FOUND_CLOSED) : walk_folder(walk, &at);
}

static hirl_status visit(hr_walk *walk, const place *at, const hr_entry *entry)
{
    char *path = hr_path_join(at->path, entry->name);
    hirl_status status = HIRL_OK;

    if (!path)
        return HIRL_E_NOMEM;
    if (entry->kind == HR_ENTRY_FOLDER)
        status = is_of_a_system(entry->name) ? HIRL_OK : enter(walk, at, path);
    else if (entry->kind == HR_ENTRY_FILE &&
             (hr_is_image_name(entry->name) ||
              (!is_other_name(entry->name) && begins_as_image(walk, path))))
        status = add(walk, path, HR_FOUND_IMAGE);
    else
        status = add(walk, path, HR_FOUND_OTHER);
    hr_free(path);
    return status;
}

static hirl_status visit_all(hr_walk *walk, const place *at, const char *full,
                             const hr_entry *entry, int64_t count)
{
    int64_t before = walk->count;
    bool run = false;

    if (at->above)
        HR_TRY(is_a_run(&run, full, entry, count));
    if (run) {
        warn_of_run(walk, at->path, entry, count);
        return HIRL_OK;
    }
    for (int64_t i = 0; i < count; i++)
        HR_TRY(visit(walk, at, &entry[i]));
    return at->above && walk->count == before ? add(walk, at->path, HR_FOUND_EMPTY) : HIRL_OK;
}

static hirl_status walk_folder(hr_walk *walk, const place *at)
{
    char *full = hr_path_join(walk->root, at->path);
    hr_entry *entry = NULL;
    int64_t count = 0;
    hirl_status status = full ? hr_folder_entries(&entry, &count, full) : HIRL_E_NOMEM;

    if (status >= 0)
        status = visit_all(walk, at, full, entry, count);
    else if (status == HIRL_E_IO && at->above)
        status = add(walk, at->path, HR_FOUND_CLOSED);
    hr_entries_free(entry, count);
    hr_free(full);
    return status;
}

hirl_status hr_walk_open(hr_walk *walk, hirl_context *context, const char *root)
{
    place at = { .path = "" };
    struct stat info;

    *walk = (hr_walk){ .context = context, .root = root };
    if (stat(root, &info))
        return hr_fail_errno("list", root);
    at.device = info.st_dev;
    at.number = info.st_ino;
    return walk_folder(walk, &at);
}

hirl_status hr_walk_fail(const hr_walk *walk, int64_t index)
{
    const char *path = hr_walk_path(walk, index);
    char *full = hr_path_join(walk->root, path);
    hr_entry *entry = NULL;
    int64_t count = 0;
    hirl_status status = full ? hr_folder_entries(&entry, &count, full) : HIRL_E_NOMEM;

    hr_entries_free(entry, count);
    hr_free(full);
    return status < 0
               ? status
               : hr_fail(HIRL_E_LIMIT, "%s: folders are nested deeper than %d levels", path, DEPTH);
}

void hr_walk_done(hr_walk *walk)
{
    hr_text_done(&walk->text);
    hr_free(walk->found);
}
