/* files.c - paths, output folders, and small files that appear complete or not at all. */
#include "files.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys.h"
#include "messages.h"

static bool join(char path[CLI_PATH], const char *folder, const char *name)
{
    return snprintf(path, CLI_PATH, "%s%s%s", folder, *folder && *name ? "/" : "", name) < CLI_PATH;
}

int cli_join(char path[CLI_PATH], cli_session *session, const char *folder, const char *name)
{
    if (join(path, folder, name))
        return CLI_OK;
    return cli_error(session, CLI_USAGE, "a path of %zu bytes is too long (at most %d): '%.60s...'",
                     strlen(folder) + strlen(name) + 1, CLI_PATH - 1, *folder ? folder : name);
}

bool cli_exists(const char *folder, const char *name)
{
    char path[CLI_PATH];

    return join(path, folder, name) && access(path, F_OK) == 0;
}

static int make_folder(cli_session *session, const char *path)
{
    char part[CLI_PATH];
    struct stat info;
    int code = cli_join(part, session, path, "");

    if (code)
        return code;
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(part, 0777); /* may exist already; the last mkdir() and stat() check */
        *slash = '/';
    }
    if (mkdir(part, 0777) && errno != EEXIST)
        return cli_error(session, CLI_FAILED, "cannot create folder '%s': %s", path,
                         strerror(errno));
    if (stat(part, &info) || !S_ISDIR(info.st_mode))
        return cli_error(session, CLI_FAILED, "'%s' is not a folder", path);
    return CLI_OK;
}

int cli_begin_folder(cli_session *session, const char *path, const char *const *written)
{
    for (; *written && !cli_own_flag(session, "overwrite"); written++)
        if (cli_exists(path, *written))
            return cli_error(session, CLI_FAILED,
                             "'%s' already holds %s: choose another out=, or add overwrite=1", path,
                             *written);
    return make_folder(session, path);
}

int cli_remove_old(cli_session *session, const char *folder, const char *name)
{
    char path[CLI_PATH];
    int code = cli_join(path, session, folder, name);

    if (code || !cli_own_flag(session, "overwrite"))
        return code;
    if (unlink(path) && errno != ENOENT)
        return cli_error(session, CLI_FAILED, "cannot remove '%s': %s", path, strerror(errno));
    return CLI_OK;
}

int cli_file_begin(cli_file *file, cli_session *session, const char *folder, const char *name)
{
    struct stat info;
    int code = cli_join(file->path, session, folder, name);

    if (code)
        return code;
    snprintf(file->part, sizeof file->part, "%s.%ld.part", file->path, (long)getpid());
    if (stat(file->path, &info) == 0 &&
        !S_ISREG(info.st_mode)) /* rename() would replace a device */
        return cli_error(session, CLI_FAILED, "cannot write '%s': it is not a regular file",
                         file->path);
    file->stream = fopen(file->part, "w");
    if (!file->stream)
        return cli_error(session, CLI_FAILED, "cannot write '%s': %s", file->path, strerror(errno));
    return CLI_OK;
}

int cli_file_end(cli_file *file, cli_session *session)
{
    bool failed = fflush(file->stream) || ferror(file->stream) || fsync(fileno(file->stream));
    int reason = errno;

    failed |= fclose(file->stream) != 0;
    if (!failed && rename(file->part, file->path) == 0)
        return CLI_OK;
    if (!failed)
        reason = errno;
    unlink(file->part);
    return cli_error(session, CLI_FAILED, "cannot write '%s': %s", file->path, strerror(reason));
}

int cli_file_drop(cli_file *file, cli_session *session, int code, const char *reason)
{
    fclose(file->stream);
    unlink(file->part);
    return cli_error(session, code, "%s; '%s' was not written", reason, file->path);
}

int cli_file_try(cli_session *session, const char *folder, const char *name)
{
    cli_file file;
    int code = cli_file_begin(&file, session, folder, name);

    if (code)
        return code;
    fclose(file.stream);
    unlink(file.part);
    return CLI_OK;
}

int cli_write_json(cli_session *session, const char *folder, const char *name, json_t *value)
{
    cli_file file;
    bool complete;
    int code = cli_file_begin(&file, session, folder, name);

    if (code) {
        json_decref(value);
        return code;
    }
    complete = json_dumpf(value, file.stream, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0;
    fputc('\n', file.stream);
    json_decref(value);
    return complete || ferror(file.stream)
               ? cli_file_end(&file, session)
               : cli_file_drop(&file, session, CLI_FAILED,
                               "the result has a value that JSON cannot represent");
}
