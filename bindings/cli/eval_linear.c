/* eval_linear.c - hirl eval linear: trains a linear classifier on the frozen encoder of a model.
 *
 * The classifier learns one label level of the training split and is judged on a held-out split.
 * Without such splits, every tenth image is held out, as in hirl eval knn.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events.h"
#include "files.h"
#include "images.h"
#include "keys.h"
#include "messages.h"
#include "resume.h"
#include "session.h"
#include "text.h"
#include "training.h"
#include "verbs.h"
#include "words.h"

static const cli_key keys[] = {
    { "model", "text", "", "", "",
      "run directory, checkpoint or model file whose encoder is used; not needed with resume=1" },
    { "features", "choice", "model", "model random", "",
      "model: of model=; random: of an untrained model with the settings of the run model=" },
    { "out", "text", "linear", "", "",
      "run directory: config.yaml, metrics.jsonl, checkpoints, classifier, evaluation.json" },
    { "split", "text", "bank", "", "",
      "split that the classifier learns; bank: train, or without a held-out split all but every "
      "tenth image" },
    { "test_split", "text", "queries", "", "",
      "held-out split; queries: test, validation or val, or else every tenth image" },
    CLI_KEY_TIME_LIMIT,
    { 0 },
};

static const char evaluation[] = "evaluation.json"; /* in the run directory */

typedef struct probe {
    cli_session *session;
    cli_training training;
    hirl_dataset *dataset, *held_out;
    hirl_dataset_info trained, tested; /* descriptions of both */
    hirl_model *model;
    int32_t level;        /* level of the labels */
    double top1, seconds; /* result of the evaluation */
} probe;

/* ---- data ---- */

static int describe(hirl_dataset_info *info, cli_session *session, const hirl_dataset *dataset)
{
    *info = (hirl_dataset_info){ .struct_size = sizeof *info };
    return cli_check(session, hirl_dataset_describe(info, dataset));
}

/* Opens the held-out images, with the options that the training images have. */
static int open_held_out(probe *p)
{
    cli_session *session = p->session;
    hirl_options *options = session->options;
    char split[64];
    hirl_status status;
    int code;

    snprintf(split, sizeof split, "%s", hirl_options_get(options, "split"));
    status = hirl_options_set(options, "split", cli_own(session, "test_split"));
    code = cli_check(session, status);
    if (!code)
        code = cli_data_open(&p->held_out, session);
    if (!code)
        code = cli_data_print(session, p->held_out);
    if (!code)
        code = cli_check(session, hirl_options_set(options, "split", split));
    return code;
}

static const char bank[] = "all but every tenth image", tenth[] = "every tenth image";

/* The name of a split is that of a part of the data, with `bank` or `tenth` if it is divided. */
static int name_length(const char *split)
{
    int length = (int)strlen(split);

    if (cli_ends_with(split, tenth))
        length -= cli_ends_with(split, bank) ? (int)strlen(bank) : (int)strlen(tenth);
    return length > 2 && split[length - 1] == ' ' ? length - 2 : length; /* ", " */
}

/* Whether held-out images are among the training images, by the names of the two splits. */
static bool overlap(const char *trained, const char *tested)
{
    int length = name_length(trained);
    bool same = length == name_length(tested) && !strncmp(trained, tested, (size_t)length);

    if (!same)
        return !strcmp(trained, "all") || !strcmp(tested, "all");
    return !cli_ends_with(trained, tenth) || !cli_ends_with(tested, tenth) ||
           cli_ends_with(trained, bank) == cli_ends_with(tested, bank);
}

/* Every training image needs a label. Held-out images without one are not counted. */
static int check_labels(const probe *p)
{
    cli_session *session = p->session;

    if (hirl_dataset_classes(p->dataset, p->level) < 2)
        return cli_error(session, CLI_DATA,
                         "a linear classifier needs at least 2 classes, but these images have %d",
                         (int)hirl_dataset_classes(p->dataset, p->level));
    for (int64_t i = 0; i < p->trained.count; i++)
        if (hirl_dataset_label(p->dataset, i, p->level) < 0)
            return cli_error(session, CLI_DATA,
                             "image '%s' has no label: move it into the folder of its class, or "
                             "remove it from the data",
                             hirl_dataset_name(p->dataset, i));
    return CLI_OK;
}

/* The library compares the classes as well, but only after the training. */
static int check_classes(const probe *p)
{
    cli_session *session = p->session;
    int32_t level = p->level;

    if (p->trained.label_levels < 1)
        return cli_error(session, CLI_DATA,
                         "a linear classifier needs labels, but these images have none");
    if (level >= p->trained.label_levels)
        return cli_error(session, CLI_USAGE,
                         "label_level=%d, but the images have labels of %d levels, from 0",
                         (int)level, (int)p->trained.label_levels);
    if (hirl_dataset_classes(p->held_out, level) != hirl_dataset_classes(p->dataset, level))
        return cli_error(session, CLI_DATA,
                         "the training images have %d classes, but the held-out images have %d",
                         (int)hirl_dataset_classes(p->dataset, level),
                         (int)hirl_dataset_classes(p->held_out, level));
    for (int32_t c = 0; c < hirl_dataset_classes(p->dataset, level); c++) {
        const char *a = hirl_dataset_class_name(p->dataset, level, c);
        const char *b = hirl_dataset_class_name(p->held_out, level, c);

        if (a && b && strcmp(a, b) != 0)
            return cli_error(session, CLI_DATA,
                             "class %d is '%.60s' in the training images, but '%.60s' in the "
                             "held-out images",
                             (int)c, a, b);
    }
    return CLI_OK;
}

static int open_data(probe *p)
{
    cli_session *session = p->session;
    int code = cli_training_data(&p->dataset, session);

    if (!code)
        code = open_held_out(p);
    if (!code)
        code = describe(&p->trained, session, p->dataset);
    if (!code)
        code = describe(&p->tested, session, p->held_out);
    if (!code && overlap(p->trained.split, p->tested.split))
        code = cli_error(session, CLI_USAGE,
                         "split=%s and test_split=%s share images: leave both out, or give two "
                         "splits of the data",
                         cli_own(session, "split"), cli_own(session, "test_split"));
    if (!code)
        code = check_classes(p);
    return code ? code : check_labels(p);
}

/* ---- model ---- */

/* Whether `model` is the folder out=, or a file in it or in its checkpoints. */
static bool inside_out(const cli_session *session, const char *model)
{
    char out[PATH_MAX], path[PATH_MAX];
    struct stat info;

    if (!realpath(model, path) || !realpath(cli_own(session, "out"), out))
        return false; /* one of them does not exist */
    if (!stat(path, &info) && !S_ISDIR(info.st_mode))
        *strrchr(path, '/') = 0;
    if (cli_ends_with(path, "/checkpoints"))
        *strrchr(path, '/') = 0;
    return !strcmp(path, out);
}

static int open_model(probe *p)
{
    cli_session *session = p->session;
    const char *model = cli_own(session, "model");
    bool needed;
    int code = cli_training_needs_model(&needed, session);

    if (code || !needed)
        return code;
    if (!*model)
        return cli_error(session, CLI_USAGE,
                         "model= is missing: give the run directory, checkpoint or model file "
                         "whose encoder is to be evaluated");
    if (inside_out(session, model))
        return cli_error(session, CLI_USAGE,
                         "out='%s' is the folder of model=: the classifier needs a folder of its "
                         "own",
                         cli_own(session, "out"));
    if (!strcmp(cli_own(session, "features"), "model"))
        return cli_model_open(&p->model, session);
    code = cli_refuse_keys(session, "network", "features=random");
    return code ? code : cli_model_untrained(&p->model, session, model);
}

/* ---- result ---- */

/* held-out images that were readable */
static int64_t judged(const probe *p)
{
    return p->tested.count - p->tested.skipped;
}

static json_t *result_of(const probe *p)
{
    const cli_session *session = p->session;
    const hirl_step_report *report = &p->training.report;
    json_t *result =
        json_pack("{s:s, s:s, s:o, s:f, s:s, s:i, s:I, s:o, s:o, s:I, s:I, s:I, s:f, s:o}", "event",
                  "result", "verb", "eval linear", "out", cli_text(cli_own(session, "out")), "top1",
                  p->top1, "labels", cli_level_name(p->level, p->trained.label_levels), "classes",
                  (int)hirl_dataset_classes(p->dataset, p->level), "held_out",
                  (json_int_t)judged(p), "split", cli_text(p->trained.split), "test_split",
                  cli_text(p->tested.split), "images", (json_int_t)p->trained.count, "step",
                  (json_int_t)report->step, "epochs", (json_int_t)report->epochs, "seconds",
                  p->training.seconds + p->seconds, "settings", cli_settings(session));

    if (p->training.had_finished)
        return result;
    if (!result || json_object_set_new(result, "train_loss", json_real(report->loss)) ||
        json_object_set_new(result, "train_top1", json_real(report->top1))) {
        json_decref(result);
        return NULL;
    }
    return result;
}

static int evaluate(probe *p)
{
    cli_session *session = p->session;
    hirl_trainer_score score = { .struct_size = sizeof score };
    hirl_trainer_info run = { .struct_size = sizeof run };
    double started = cli_seconds();
    hirl_status status = hirl_trainer_evaluate(&score, p->training.trainer, p->held_out);

    if (status == HIRL_E_CANCELED)
        return cli_training_stop(&p->training);
    if (status == HIRL_E_INVALID) /* the settings are checked: the fault is in the images */
        return cli_check_data(session, status);
    if (status >= 0)
        status = hirl_trainer_describe(&run, p->training.trainer);
    if (status < 0)
        return cli_check(session, status);
    p->training.report.step = run.step;
    p->training.report.epochs = run.epochs;
    p->top1 = score.top1;
    p->seconds = cli_seconds() - started;
    return describe(&p->tested, session, p->held_out); /* unreadable images are known now */
}

static int report(probe *p)
{
    cli_session *session = p->session;
    const char *out = cli_own(session, "out");
    char took[32];
    json_t *result = result_of(p);
    int code = result ? cli_write_json(session, out, evaluation, json_incref(result))
                      : cli_no_memory(session);

    cli_progress_clear(&session->progress);
    if (!code && !session->json && !p->training.had_finished)
        printf("%s: %lld steps in %s, loss %.3f\n", out, (long long)p->training.report.step,
               cli_clock(took, sizeof took, p->training.seconds), p->training.report.loss);
    if (!code && !session->json)
        printf("top-1 accuracy %.2f %% of %lld held-out images, %d classes (%s)\n", 100 * p->top1,
               (long long)judged(p), (int)hirl_dataset_classes(p->dataset, p->level),
               cli_level_name(p->level, p->trained.label_levels));
    if (result)
        cli_emit(session, result);
    return code;
}

/* ---- the run ---- */

/* Removes the result of a run that this one replaces. */
static int remove_old_result(const probe *p)
{
    char path[CLI_PATH];
    int code = cli_join(path, p->session, cli_own(p->session, "out"), evaluation);

    if (!code && unlink(path) && errno != ENOENT)
        return cli_error(p->session, CLI_FAILED, "cannot remove '%s': %s", path, strerror(errno));
    return code;
}

/* `split` is a key of the verb with another default than the library's. */
static int set_split(cli_session *session)
{
    int code = cli_own_from_file(session, "split");

    if (!code)
        code = cli_check(session,
                         hirl_options_set(session->options, "split", cli_own(session, "split")));
    return code;
}

static int run(cli_session *session)
{
    probe p = {
        .session = session,
        .training = { .session = session,
                      .shown = "task label_level batch_size epochs optimizer seed",
                      .repeated = "test_split",
                      .another = "for another classifier, give model= and another out=" },
    };
    int code = cli_run_settings(session);

    if (!code)
        code = set_split(session);
    if (!code)
        code = cli_session_begin(session);
    if (!code)
        code = open_model(&p);
    if (!code) {
        p.level = (int32_t)cli_library_int(session, "label_level");
        code = open_data(&p);
    }
    if (!code)
        code = cli_training_open(&p.training, p.model, p.dataset);
    if (!code && p.model)
        code = remove_old_result(&p);
    if (!code)
        code = cli_training_run(&p.training);
    if (!code)
        code = evaluate(&p);
    if (!code)
        code = report(&p);
    cli_training_close(&p.training);
    hirl_model_destroy(p.model);
    hirl_dataset_destroy(p.held_out);
    hirl_dataset_destroy(p.dataset);
    return code;
}

const cli_verb cli_eval_linear = {
    .name = "eval linear",
    .help = "train a linear classifier on a frozen encoder, and test it on held-out images",
    .example = "model=run data=PHOTOS out=linear",
    .note = "The encoder does not change. Ctrl-C saves the state; the same command with resume=1\n"
            "continues to the same result. A finished run is only evaluated again.",
    .task = "linear",
    .objects = "context data",
    .also = "network label_level epochs batch_size accumulate optimizer lr base_lr schedule "
            "warmup_epochs warmup_lr min_lr momentum weight_decay weight_decay_end decay_all clip "
            "clip_grad crop_filter global_crops_scale jitter jitter_p gray_p flip_p blur_p "
            "blur_sigma solarize_p precision feature_precision loader_threads eval_batch "
            "on_bad_image max_bad save_every log_every keep resume overwrite seed",
    .without = "split",
    .keys = keys,
    .run = run,
};
