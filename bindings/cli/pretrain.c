/* pretrain.c - hirl pretrain: a training run that can be stopped at any moment and resumed. */
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "files.h"
#include "keys.h"
#include "messages.h"
#include "preset.h"
#include "resume.h"
#include "session.h"
#include "text.h"
#include "training.h"
#include "verbs.h"

static const cli_key keys[] = {
    { "out", "text", "run", "", "",
      "run directory: config.yaml, env.json, metrics.jsonl, checkpoints, trees" },
    { "init", "text", "", "", "", "model file, checkpoint or run whose weights to start from" },
    CLI_KEY_TIME_LIMIT,
    { 0 },
};

/* Prints " key=value" when the value is not the default. */
static void put_changed(const cli_session *session, const char *key)
{
    const char *value = hirl_options_get(session->options, key);
    hirl_option_info info;

    if (cli_find_library_key(&info, key) && strcmp(value, info.default_value) != 0)
        cli_put_key(key, value);
}

/* Prints the keys that select the images; all of them, or those of data=generated only. */
static void put_images(const cli_session *session, bool all)
{
    static const char *const generated[] = { "generated_kind", "generated_images",
                                             "generated_test_images", "generated_size",
                                             "generated_seed" };
    const char *data = hirl_options_get(session->options, "data");

    cli_put_key("data", data);
    for (size_t i = 0; i < sizeof generated / sizeof *generated && !strcmp(data, "generated"); i++)
        put_changed(session, generated[i]);
    if (!all)
        return;
    put_changed(session, "max_images");
    put_changed(session, "split");
}

/* Prints commands that use the run. The tree has a row for each image of the training set, so
 * `hirl tree show` must select the same images. */
static void suggest(const cli_session *session, const char *out)
{
    if (session->quiet)
        return;
    puts("next steps:");
    fputs("  hirl embed", stdout);
    cli_put_key("model", out);
    put_images(session, true);
    puts(" out=embeddings");
    if (cli_exists(out, "trees/current.hpt")) {
        fputs("  hirl tree show", stdout);
        cli_put_key("tree", out);
        put_images(session, true);
        putchar('\n');
    }
    fputs("  hirl eval knn", stdout);
    cli_put_key("model", out);
    put_images(session, false);
    puts("  # needs labels");
}

static int finish(const cli_training *training)
{
    cli_session *session = training->session;
    const hirl_step_report *report = &training->report;
    const char *out = cli_own(session, "out");
    char took[32];

    cli_progress_clear(&session->progress);
    if (!session->json)
        printf("%s: %lld steps in %s, loss %.3f\n", out, (long long)report->step,
               cli_clock(took, sizeof took, training->seconds), report->loss);
    if (!session->json)
        suggest(session, out);
    cli_emit(session, json_pack("{s:s, s:s, s:o, s:I, s:I, s:f, s:f, s:f, s:f}", "event", "result",
                                "verb", "pretrain", "out", cli_text(out), "step",
                                (json_int_t)report->step, "epoch", (json_int_t)report->epoch + 1,
                                "train_loss", report->loss, "loss_img", report->loss_image,
                                "loss_spd", report->loss_spd, "seconds", training->seconds));
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

/* Loads init=. A resumed run does not need that file, which may no longer exist. */
static int open_init(hirl_model **start, cli_session *session)
{
    const char *init = cli_own(session, "init");
    bool needed;
    int code = cli_training_needs_model(&needed, session);

    if (code || !needed || !*init)
        return code;
    return cli_check(session, hirl_model_load(start, session->context, init, session->options));
}

static int run(cli_session *session)
{
    cli_training training = {
        .session = session,
        .shown = "method hirl arch image_size batch_size epochs lr seed",
        .repeated = "",
        .another = "to start another run from its weights, use init= and another out=",
    };
    hirl_dataset *dataset = NULL;
    hirl_model *start = NULL;
    int code = cli_run_settings(session);

    if (!code && !strcmp(hirl_options_get(session->options, "method"), "own"))
        code = cli_error(session, CLI_USAGE,
                         "method=own needs a loss function of an application; see "
                         "hirl_trainer_set_method() and examples/simclr.c");
    if (!code)
        code = cli_session_begin(session);
    if (!code)
        code = cli_training_data(&dataset, session);
    if (!code)
        code = open_init(&start, session);
    if (!code)
        code = cli_training_open(&training, start, dataset);
    if (!code)
        code = cli_training_run(&training);
    if (!code)
        code = training.had_finished ? finished(session) : finish(&training);
    cli_training_close(&training);
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
    .task = "pretrain",
    .objects = "context data model view train cluster loss",
    .without = "task label_level",
    .keys = keys,
    .run = run,
};
