/* resume.c - the settings of a run that starts, or of one that resume=1 continues. */
#include "resume.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "keys.h"
#include "messages.h"
#include "preset.h"

/* the names that the library gives to checkpoints */
static bool is_checkpoint(const char *name)
{
    int end = 0;

    sscanf(name, "step_%*[0-9].safetensors%n", &end);
    return (end && !name[end]) || !strcmp(name, "last.safetensors");
}

int cli_resumes(bool *yes, cli_session *session)
{
    char path[CLI_PATH];
    int code = cli_join(path, session, cli_own(session, "out"), "checkpoints");
    DIR *folder = !code && cli_library_flag(session, "resume") ? opendir(path) : NULL;
    struct dirent *entry;

    *yes = false;
    while (folder && (entry = readdir(folder)))
        *yes |= is_checkpoint(entry->d_name);
    if (folder)
        closedir(folder);
    return code;
}

static const char *const method_keys[] = { "method", "hirl" };

/* the values of method_keys */
typedef struct method_values {
    char value[2][64];
} method_values;

static method_values get_method(const cli_session *session)
{
    method_values method;

    for (int i = 0; i < 2; i++)
        snprintf(method.value[i], sizeof method.value[i], "%s",
                 hirl_options_get(session->options, method_keys[i]));
    return method;
}

/* The settings of the run override those of a preset, so a preset of another method is refused
 * rather than ignored silently. */
static int check_preset(cli_session *session, const method_values *wanted)
{
    const char *preset = hirl_options_get(session->options, "preset");

    for (int i = 0; i < 2 && *preset; i++) {
        const char *has = hirl_options_get(session->options, method_keys[i]);

        if (strcmp(wanted->value[i], has) != 0)
            return cli_error(session, CLI_USAGE,
                             "preset=%s has %s=%s, but the run to be resumed has %s", preset,
                             method_keys[i], wanted->value[i], has);
    }
    return CLI_OK;
}

/* Loads the run's config.yaml over any config file of the command line. The library refuses typed
 * values that contradict the run. */
static int load_config(cli_session *session, const char *path)
{
    method_values wanted = get_method(session);
    hirl_status status = hirl_options_load(session->options, path);

    if (status < 0)
        return cli_check(session, status);
    cli_note(session, "%s: resuming with the settings in its config.yaml", cli_own(session, "out"));
    return check_preset(session, &wanted);
}

/* The task of the run is the verb's. A config file may name another one, which is refused. */
static int set_task(cli_session *session)
{
    const char *task = session->verb->task, *file = hirl_options_get(session->options, "task");

    if (hirl_options_origin(session->options, "task") > 0 && strcmp(file, task) != 0)
        return cli_error(session, CLI_USAGE, "task=%s in the config file, but hirl %s has task=%s",
                         file, session->verb->name, task);
    return cli_check(session, hirl_options_set(session->options, "task", task));
}

int cli_run_settings(cli_session *session)
{
    char path[CLI_PATH];
    hirl_status status;
    bool resumes;

    if (set_task(session))
        return CLI_USAGE;
    if (cli_own_from_file(session, "out"))
        return CLI_MEMORY;
    if (!*cli_own(session, "out"))
        return cli_error(session, CLI_USAGE, "out= is empty: give the directory of the run");
    if (cli_join(path, session, cli_own(session, "out"), "config.yaml"))
        return CLI_USAGE;
    status = hirl_options_set(session->options, "out", cli_own(session, "out"));
    if (status < 0)
        return cli_check(session, status);
    if (!cli_library_flag(session, "resume"))
        return cli_default_preset(session);
    if (cli_resumes(&resumes, session))
        return CLI_USAGE;
    if (cli_exists(path, ""))
        return load_config(session, path);
    if (hirl_options_origin(session->options, "data") == 0)
        return cli_error(session, CLI_USAGE, "'%s' is missing: %s", path,
                         resumes ? "to resume from a checkpoint alone, give data= (its images)"
                                 : "there is no run to resume, and no data= to start one");
    if (!resumes) /* a scheduler may start and continue a run with the same command */
        return cli_default_preset(session);
    cli_note(session, "%s: config.yaml is missing; resuming with the settings in the checkpoint",
             cli_own(session, "out"));
    return CLI_OK;
}
