/* pretrain.c - hirl pretrain: a training run, stopped and resumed at any moment. */
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
    { "init", "text", "", "", "", "model file, checkpoint or run whose weights are the start" },
    { "time_limit", "int", "0", "0 to 100000", "minutes",
      "stops then as Ctrl-C does, ready to resume; 0: never" },
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
    char moved[48] = "";

    if (report->churn >= 0)
        snprintf(moved, sizeof moved, ", %.0f %% of the images moved", 100 * report->churn);
    cli_note(
        session, "clustered in %.1f s, leaves of %lld to %lld images (median %lld), %lld empty%s",
        report->cluster_seconds, (long long)report->smallest_leaf, (long long)report->largest_leaf,
        (long long)report->median_leaf, (long long)report->empty_clusters, moved);
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

/* " key=value" as a shell takes it */
static void put_key(const char *key, const char *value)
{
    printf(" %s=", key);
    cli_put_word(stdout, value);
}

/* after a stop: saves, and says how to go on */
static int leave(cli_session *session, hirl_trainer *trainer)
{
    static const char *const of_machine[] = { "backend", "threads" }; /* config.yaml has neither */
    const char *out = cli_own(session, "out");
    hirl_status status = hirl_trainer_save(trainer, NULL);

    if (status < 0)
        return cli_check_write(session, status);
    cli_progress_clear(&session->progress);
    if (!session->json) {
        printf("%s, saved; go on with: hirl pretrain",
               cli_session_limited() ? "time limit reached" : "stopped");
        put_key("out", out);
        for (int i = 0; i < 2; i++)
            if (cli_is_typed(session, of_machine[i]))
                put_key(of_machine[i], hirl_options_get(session->options, of_machine[i]));
        puts(" resume=1");
    }
    cli_emit(session, json_pack("{s:s, s:o, s:i}", "event", "stopped", "out", cli_text(out), "exit",
                                CLI_AGAIN));
    return CLI_AGAIN;
}

/* adds " key=value" where it is not the default */
static void put_given(char *text, size_t bytes, const cli_session *session, const char *key)
{
    const char *value = hirl_options_get(session->options, key);
    size_t used = strlen(text);
    hirl_option_info info;

    if (cli_find_library_key(&info, key) && strcmp(value, info.default_value) != 0)
        snprintf(text + used, bytes - used, " %s=%s", key, value);
}

/* what can be done with the run; the tree only when there is one */
static void suggest(const cli_session *session, const char *out)
{
    static const char *const drawn[] = { "generated_images", "generated_test_images",
                                         "generated_size", "generated_seed" };
    const char *data = hirl_options_get(session->options, "data");
    char set[512] = "", same[1024]; /* the tree has a row for each image that was trained on */

    for (size_t i = 0; i < sizeof drawn / sizeof *drawn && !strcmp(data, "generated"); i++)
        put_given(set, sizeof set, session, drawn[i]);
    put_given(set, sizeof set, session, "exif");
    snprintf(same, sizeof same, "%s", set);
    put_given(same, sizeof same, session, "max_images");
    put_given(same, sizeof same, session, "split");
    if (session->quiet)
        return;
    fputs("next: hirl embed", stdout);
    put_key("model", out);
    put_key("data", data);
    printf("%s out=embeddings", same);
    if (cli_exists(out, "trees/current.hpt")) {
        fputs(", hirl tree show", stdout);
        put_key("tree", out);
        put_key("data", data);
        fputs(same, stdout);
    }
    fputs("; with labels: hirl eval knn", stdout);
    put_key("model", out);
    put_key("data", data);
    puts(set);
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

/* resume=1 of a run that was done: nothing was measured */
static int finished(cli_session *session)
{
    const char *out = cli_own(session, "out");

    cli_note(session, "%s: the run was finished already", out);
    if (!session->json)
        suggest(session, out);
    cli_emit(session, json_pack("{s:s, s:s, s:o, s:b}", "event", "result", "verb", "pretrain",
                                "out", cli_text(out), "finished", 1));
    return CLI_OK;
}

static int train(cli_session *session, hirl_trainer *trainer)
{
    hirl_step_report report = { .struct_size = sizeof report };
    double begun = cli_seconds();
    hirl_status status;

    hirl_trainer_set_report(trainer, on_report, session);
    cli_session_limit(60 * (double)cli_own_int(session, "time_limit"));
    session->running = true;
    status = hirl_train_run(&report, trainer);
    if (status == HIRL_E_CANCELED)
        return leave(session, trainer);
    if (status == HIRL_DONE)
        return finished(session);
    if (status < 0)
        return cli_check(session, status);
    return finish(session, &report, cli_seconds() - begun);
}

/* a run that goes on does not read where it began: that may be gone by now */
static int open_start(hirl_model **start, cli_session *session)
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
                         "method=own: its loss is a function of a host program "
                         "(hirl_trainer_set_method(), examples/simclr.c)");
    if (!code)
        code = cli_session_begin(session);
    if (!code && hirl_options_origin(session->options, "data") == 0)
        cli_note(session, "data=generated: images that the library draws; data=PHOTOS takes yours");
    if (!code) {
        code = cli_data_open(&dataset, session);
        if (code && cli_library_flag(session, "resume") && !cli_is_typed(session, "data"))
            cli_note(session,
                     "data= is of the run's config.yaml; give it where the images lie now");
    }
    if (!code)
        code = cli_data_print(session, dataset);
    if (!code)
        code = open_start(&start, session);
    if (!code) {
        status = hirl_trainer_create(&trainer, session->context, start, dataset, session->options);
        code = status == HIRL_E_IO ? cli_check_write(session, status) /* the run directory */
                                   : cli_check(session, status);
        if (status == HIRL_E_INVALID && cli_library_flag(session, "resume") &&
            !cli_resumes(&resumes, session) && resumes)
            cli_note(session, "a run keeps its settings; another begins from its weights with "
                              "init= and another out=");
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
    .help = "learns representations of images without labels, and their tree",
    .example = "data=PHOTOS out=run",
    .note = "defaults are those of " CLI_PRESET ", the preset that is taken when none is given;\n"
            "hirl config show preset=NAME all=0 prints another's",
    .preset = CLI_PRESET,
    .positional = "data",
    .objects = "context data model view train cluster loss",
    .keys = keys,
    .run = run,
};
