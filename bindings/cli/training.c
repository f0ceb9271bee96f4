/* training.c - a training run inside a verb: it reports progress, and can be stopped and resumed.
 */
#include "training.h"

#include <stdio.h>
#include <string.h>

#include "events.h"
#include "images.h"
#include "keys.h"
#include "messages.h"
#include "resume.h"
#include "session.h"
#include "text.h"
#include "words.h"

/* A labelled run has a share of right answers; the others measure the health of their features. */
static bool is_labelled(const hirl_step_report *report)
{
    return report->top1 >= 0;
}

static void print_epoch(cli_session *session, const hirl_step_report *report, const char *judgement)
{
    char losses[96], rate[32], left[32], health[512] = "";

    if (!is_labelled(report))
        snprintf(health, sizeof health, "std %.2f rank %.1f ", report->health_std,
                 report->health_rank);
    cli_note(session, "Epoch %lld/%lld %s %s img/s data %.0f%% mem %.1fG %seta %s%s%s",
             (long long)report->epoch + 1, (long long)report->epochs,
             cli_losses(losses, sizeof losses, report), cli_speed(rate, sizeof rate, report),
             100 * report->data_wait, report->memory_gb, health,
             cli_left(left, sizeof left, report), *judgement ? " - " : "", judgement);
}

static void on_epoch(const cli_training *training, const hirl_step_report *report)
{
    cli_session *session = training->session;
    const char *judgement = hirl_trainer_judgement(training->trainer);
    json_t *event = json_pack("{s:s, s:I, s:I, s:I, s:f}", "event", "epoch", "epoch",
                              (json_int_t)report->epoch + 1, "epochs", (json_int_t)report->epochs,
                              "step", (json_int_t)report->step, "train_loss", report->loss);
    json_t *more = is_labelled(report)
                       ? json_pack("{s:f}", "train_top1", report->top1)
                       : json_pack("{s:f, s:f, s:f, s:f, s:s}", "loss_img", report->loss_image,
                                   "loss_spd", report->loss_spd, "std", report->health_std, "rank",
                                   report->health_rank, "judgement", judgement);
    json_t *speed = json_pack("{s:f, s:f, s:f, s:f, s:f}", "lr", report->rate, "images_per_s",
                              report->images_per_s, "data_wait", report->data_wait, "mem_gb",
                              report->memory_gb, "eta_s", report->seconds_left);

    print_epoch(session, report, judgement);
    if (json_object_update(event, more) || json_object_update(event, speed)) {
        json_decref(event);
        event = NULL; /* reported as a lost event */
    }
    json_decref(more);
    json_decref(speed);
    cli_emit(session, event);
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

static int32_t on_report(const hirl_step_report *report, void *user)
{
    const cli_training *training = user;
    cli_session *session = training->session;

    if (report->clustered)
        on_clustered(session, report);
    cli_progress_step(&session->progress, report);
    if (report->epoch_end)
        on_epoch(training, report);
    return 0;
}

/* The values are those of the run: some fit themselves to few images. */
static void print_settings(const cli_training *training, const hirl_dataset *dataset)
{
    cli_session *session = training->session;
    hirl_options *resolved = NULL;
    hirl_status status =
        hirl_options_resolve(&resolved, session->options, hirl_dataset_count(dataset));
    char line[512] = "", key[64];
    const char *shown = training->shown;
    int used = 0, length;

    for (; sscanf(shown, "%63s%n", key, &length) == 1; shown += length) {
        const char *value = hirl_options_get(status < 0 ? session->options : resolved, key);

        if (value && used < (int)sizeof line)
            used += snprintf(line + used, sizeof line - (size_t)used, "%s%s=%s", used ? " " : "",
                             key, value);
    }
    hirl_options_destroy(resolved);
    cli_note(session, "%s", line);
    cli_emit(session,
             json_pack("{s:s, s:s, s:o}", "event", "start", "backend",
                       hirl_context_backend(session->context), "settings", cli_settings(session)));
}

void cli_put_key(const char *key, const char *value)
{
    printf(" %s=", key);
    cli_put_word(stdout, value);
}

static void print_resume_command(const cli_training *training)
{
    static const char *const machine_keys[] = { "backend", "threads" }; /* not in config.yaml */
    const cli_session *session = training->session;

    printf("%s, state saved; resume with: hirl %s",
           cli_session_limited() ? "time limit reached" : "stopped", session->verb->name);
    cli_put_key("out", cli_own(session, "out"));
    for (int i = 0; session->verb->keys[i].name; i++)
        if (session->own[i] && cli_is_word_of(training->repeated, session->verb->keys[i].name))
            cli_put_key(session->verb->keys[i].name, session->own[i]);
    for (int i = 0; i < 2; i++)
        if (cli_is_typed(session, machine_keys[i]))
            cli_put_key(machine_keys[i], hirl_options_get(session->options, machine_keys[i]));
    puts(" resume=1");
}

int cli_training_stop(cli_training *training)
{
    cli_session *session = training->session;
    hirl_status status;

    cli_session_finish();
    status = hirl_trainer_save(training->trainer, NULL);

    if (status < 0)
        return cli_check_write(session, status);
    cli_progress_clear(&session->progress);
    if (!session->json)
        print_resume_command(training);
    cli_emit(session, json_pack("{s:s, s:o, s:i}", "event", "stopped", "out",
                                cli_text(cli_own(session, "out")), "exit", CLI_AGAIN));
    return CLI_AGAIN;
}

int cli_training_run(cli_training *training)
{
    cli_session *session = training->session;
    double started = cli_seconds();
    hirl_status status;

    training->report = (hirl_step_report){ .struct_size = sizeof training->report };
    status = hirl_trainer_set_report(training->trainer, on_report, training, NULL);
    if (status < 0)
        return cli_check(session, status);
    cli_session_limit(60 * (double)cli_own_int(session, "time_limit"));
    session->running = true;
    status = hirl_train_run(&training->report, training->trainer);
    training->seconds = cli_seconds() - started;
    training->had_finished = status == HIRL_DONE;
    if (status == HIRL_E_CANCELED)
        return cli_training_stop(training);
    return cli_check(session, status);
}

int cli_training_data(hirl_dataset **dataset, cli_session *session)
{
    int code;

    if (hirl_options_origin(session->options, "data") == 0)
        cli_note(session, "data=generated: images drawn by the library; data=FOLDER uses your own");
    code = cli_data_open(dataset, session);
    if (code && cli_library_flag(session, "resume") && !cli_is_typed(session, "data"))
        cli_note(session, "this data= comes from the run's config.yaml; if the images have moved, "
                          "give their new place with data=");
    return code ? code : cli_data_print(session, *dataset);
}

int cli_training_needs_model(bool *needed, cli_session *session)
{
    bool resumes;
    int code = cli_resumes(&resumes, session);

    *needed = !resumes;
    return code;
}

int cli_training_open(cli_training *training, const hirl_model *start, hirl_dataset *dataset)
{
    cli_session *session = training->session;
    hirl_status status =
        hirl_trainer_create(&training->trainer, session->context, start, dataset, session->options);
    bool resumes;

    if (status == HIRL_E_IO) /* the run directory */
        return cli_check_write(session, status);
    if (status < 0) {
        int code = cli_check(session, status);

        if (status == HIRL_E_INVALID && cli_library_flag(session, "resume") &&
            !cli_resumes(&resumes, session) && resumes)
            cli_note(session, "a resumed run keeps its settings; %s", training->another);
        return code;
    }
    print_settings(training, dataset);
    return CLI_OK;
}

void cli_training_close(cli_training *training)
{
    hirl_trainer_destroy(training->trainer);
    training->trainer = NULL;
}
