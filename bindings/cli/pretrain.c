/* pretrain.c - hirl pretrain: a training run that can be stopped at any moment and resumed. */
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "files.h"
#include "images.h"
#include "keys.h"
#include "messages.h"
#include "preset.h"
#include "resume.h"
#include "session.h"
#include "text.h"
#include "verbs.h"

static const cli_key keys[] = {
    { "out", "text", "run", "", "",
      "run directory: config.yaml, env.json, metrics.jsonl, checkpoints, trees" },
    { "init", "text", "", "", "", "model file, checkpoint or run whose weights to start from" },
    { "time_limit", "int", "0", "0 to 100000", "minutes",
      "time after which the run saves and stops, as with Ctrl-C; 0: no limit" },
    { 0 },
};

static void on_epoch(cli_session *session, const hirl_step_report *report)
{
    char losses[96], rate[32], left[32];

    cli_note(session,
             "Epoch %lld/%lld %s %s img/s data %.0f%% mem %.1fG std %.2f rank %.1f eta %s%s%s",
             (long long)report->epoch + 1, (long long)report->epochs,
             cli_losses(losses, sizeof losses, report), cli_speed(rate, sizeof rate, report),
             100 * report->data_wait, report->memory_gb, report->health_std, report->health_rank,
             cli_left(left, sizeof left, report), report->judgement ? " - " : "",
             report->judgement ? report->judgement : "");
    cli_emit(
        session,
        json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s}",
                  "event", "epoch", "epoch", (json_int_t)report->epoch + 1, "epochs",
                  (json_int_t)report->epochs, "step", (json_int_t)report->step, "train_loss",
                  report->loss, "loss_img", report->loss_image, "loss_spd", report->loss_spd, "lr",
                  report->rate, "images_per_s", report->images_per_s, "data_wait",
                  report->data_wait, "mem_gb", report->memory_gb, "eta_s", report->seconds_left,
                  "std", report->health_std, "rank", report->health_rank, "judgement",
                  report->judgement ? report->judgement : ""));
}

static void on_clustered(cli_session *session, const hirl_step_report *report)
{
    char moved[64] = "";

    if (report->churn >= 0)
        snprintf(moved, sizeof moved, ", %.0f %% of the images changed leaf", 100 * report->churn);
    cli_note(session,
             "clustered in %.1f s: leaves have %lld to %lld images (median %lld), %lld are empty%s",
             report->cluster_seconds, (long long)report->smallest_leaf,
             (long long)report->largest_leaf, (long long)report->median_leaf,
             (long long)report->empty_clusters, moved);
    cli_emit(session,
             json_pack("{s:s, s:I, s:f, s:I, s:{s:I, s:I, s:I}, s:f}", "event", "clustered",
                       "epoch", (json_int_t)report->epoch + 1, "seconds", report->cluster_seconds,
                       "empty_clusters", (json_int_t)report->empty_clusters, "leaf_images",
                       "smallest", (json_int_t)report->smallest_leaf, "median",
                       (json_int_t)report->median_leaf, "largest", (json_int_t)report->largest_leaf,
                       "churn", report->churn));
}

static void on_report(const hirl_step_report *report, void *user)
{
    cli_session *session = user;

    if (report->clustered)
        on_clustered(session, report);
    cli_progress_step(&session->progress, report);
    if (report->epoch_end)
        on_epoch(session, report);
}

static void print_settings(cli_session *session)
{
    static const char *const shown[] = { "method",     "hirl",   "arch", "image_size",
                                         "batch_size", "epochs", "lr",   "seed" };
    char line[512];
    int used = 0;

    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const char *value = hirl_options_get(session->options, shown[i]);

        if (value && used < (int)sizeof line)
            used += snprintf(line + used, sizeof line - (size_t)used, "%s%s=%s", used ? " " : "",
                             shown[i], value);
    }
    cli_note(session, "%s", line);
    cli_emit(session,
             json_pack("{s:s, s:s, s:o}", "event", "start", "backend",
                       hirl_context_backend(session->context), "settings", cli_settings(session)));
}

/* Prints " key=value", quoted for a shell. */
static void put_key(const char *key, const char *value)
{
    printf(" %s=", key);
    cli_put_word(stdout, value);
}

/* Saves the state of a stopped run and prints the command that resumes it. */
static int save_stopped(cli_session *session, hirl_trainer *trainer)
{
    static const char *const machine_keys[] = { "backend", "threads" }; /* not in config.yaml */
    const char *out = cli_own(session, "out");
    hirl_status status = hirl_trainer_save(trainer, NULL);

    if (status < 0)
        return cli_check_write(session, status);
    cli_progress_clear(&session->progress);
    if (!session->json) {
        printf("%s, state saved; resume with: hirl pretrain",
               cli_session_limited() ? "time limit reached" : "stopped");
        put_key("out", out);
        for (int i = 0; i < 2; i++)
            if (cli_is_typed(session, machine_keys[i]))
                put_key(machine_keys[i], hirl_options_get(session->options, machine_keys[i]));
        puts(" resume=1");
    }
    cli_emit(session, json_pack("{s:s, s:o, s:i}", "event", "stopped", "out", cli_text(out), "exit",
                                CLI_AGAIN));
    return CLI_AGAIN;
}

/* Appends " key=value" to the text when the value is not the default. */
static void append_key(char *text, size_t bytes, const cli_session *session, const char *key)
{
    const char *value = hirl_options_get(session->options, key);
    size_t used = strlen(text);
    hirl_option_info info;

    if (cli_find_library_key(&info, key) && strcmp(value, info.default_value) != 0)
        snprintf(text + used, bytes - used, " %s=%s", key, value);
}

/* Prints commands that use the run. The tree has a row for each image of the training set, so
 * `hirl tree show` must select the same images. */
static void suggest(const cli_session *session, const char *out)
{
    static const char *const generated[] = { "generated_images", "generated_test_images",
                                             "generated_size", "generated_seed" };
    const char *data = hirl_options_get(session->options, "data");
    char set[512] = "", same[1024];

    if (session->quiet)
        return;
    for (size_t i = 0; i < sizeof generated / sizeof *generated && !strcmp(data, "generated"); i++)
        append_key(set, sizeof set, session, generated[i]);
    append_key(set, sizeof set, session, "exif");
    snprintf(same, sizeof same, "%s", set);
    append_key(same, sizeof same, session, "max_images");
    append_key(same, sizeof same, session, "split");
    puts("next steps:");
    fputs("  hirl embed", stdout);
    put_key("model", out);
    put_key("data", data);
    printf("%s out=embeddings\n", same);
    if (cli_exists(out, "trees/current.hpt")) {
        fputs("  hirl tree show", stdout);
        put_key("tree", out);
        put_key("data", data);
        puts(same);
    }
    fputs("  hirl eval knn", stdout);
    put_key("model", out);
    put_key("data", data);
    printf("%s  # needs labels\n", set);
}

static int finish(cli_session *session, const hirl_step_report *report, double seconds)
{
    const char *out = cli_own(session, "out");
    char took[32];

    cli_progress_clear(&session->progress);
    if (!session->json)
        printf("%s: %lld steps in %s, loss %.3f\n", out, (long long)report->step,
               cli_clock(took, sizeof took, seconds), report->loss);
    if (!session->json)
        suggest(session, out);
    cli_emit(session,
             json_pack("{s:s, s:s, s:o, s:I, s:I, s:f, s:f, s:f, s:f}", "event", "result", "verb",
                       "pretrain", "out", cli_text(out), "step", (json_int_t)report->step, "epoch",
                       (json_int_t)report->epoch + 1, "train_loss", report->loss, "loss_img",
                       report->loss_image, "loss_spd", report->loss_spd, "seconds", seconds));
    return CLI_OK;
}

/* resume=1 on a finished run: there are no measurements to report. */
static int finished(cli_session *session)
{
    const char *out = cli_own(session, "out");

    cli_note(session, "%s: the run has already finished", out);
    if (!session->json)
        suggest(session, out);
    cli_emit(session, json_pack("{s:s, s:s, s:o, s:b}", "event", "result", "verb", "pretrain",
                                "out", cli_text(out), "finished", 1));
    return CLI_OK;
}

static int train(cli_session *session, hirl_trainer *trainer)
{
    hirl_step_report report = { .struct_size = sizeof report };
    double started = cli_seconds();
    hirl_status status;

    hirl_trainer_set_report(trainer, on_report, session);
    cli_session_limit(60 * (double)cli_own_int(session, "time_limit"));
    session->running = true;
    status = hirl_train_run(&report, trainer);
    if (status == HIRL_E_CANCELED)
        return save_stopped(session, trainer);
    if (status == HIRL_DONE)
        return finished(session);
    if (status < 0)
        return cli_check(session, status);
    return finish(session, &report, cli_seconds() - started);
}

/* Loads init=. A resumed run does not need that file, which may no longer exist. */
static int open_init(hirl_model **start, cli_session *session)
{
    const char *init = cli_own(session, "init");
    hirl_status status = HIRL_OK;
    bool resumes;
    int code = cli_resumes(&resumes, session);

    if (code)
        return code;
    if (*init && !resumes)
        status = hirl_model_load(start, session->context, init, session->options);
    return cli_check(session, status);
}

static int run(cli_session *session)
{
    hirl_dataset *dataset = NULL;
    hirl_trainer *trainer = NULL;
    hirl_model *start = NULL;
    hirl_status status;
    bool resumes;
    int code = cli_run_settings(session);

    if (!code && !strcmp(hirl_options_get(session->options, "method"), "own"))
        code = cli_error(session, CLI_USAGE,
                         "method=own needs a loss function of an application; see "
                         "hirl_trainer_set_method() and examples/simclr.c");
    if (!code)
        code = cli_session_begin(session);
    if (!code && hirl_options_origin(session->options, "data") == 0)
        cli_note(session, "data=generated: images drawn by the library; data=FOLDER uses your own");
    if (!code) {
        code = cli_data_open(&dataset, session);
        if (code && cli_library_flag(session, "resume") && !cli_is_typed(session, "data"))
            cli_note(session,
                     "this data= comes from the run's config.yaml; if the images have moved, "
                     "give their new place with data=");
    }
    if (!code)
        code = cli_data_print(session, dataset);
    if (!code)
        code = open_init(&start, session);
    if (!code) {
        status = hirl_trainer_create(&trainer, session->context, start, dataset, session->options);
        code = status == HIRL_E_IO ? cli_check_write(session, status) /* the run directory */
                                   : cli_check(session, status);
        if (status == HIRL_E_INVALID && cli_library_flag(session, "resume") &&
            !cli_resumes(&resumes, session) && resumes)
            cli_note(session, "a resumed run keeps its settings; to start another run from its "
                              "weights, use init= and another out=");
    }
    if (!code) {
        print_settings(session);
        code = train(session, trainer);
    }
    hirl_trainer_destroy(trainer);
    hirl_model_destroy(start);
    hirl_dataset_destroy(dataset);
    return code;
}

const cli_verb cli_pretrain = {
    .name = "pretrain",
    .help = "train an encoder and a tree of prototypes on images, without labels",
    .example = "data=PHOTOS out=run",
    .note =
        "The defaults below are those of preset=" CLI_PRESET ", which is used when no preset is\n"
        "given. 'hirl config show preset=NAME all=0' prints the values of another preset.",
    .preset = CLI_PRESET,
    .positional = "data",
    .objects = "context data model view train cluster loss",
    .keys = keys,
    .run = run,
};
