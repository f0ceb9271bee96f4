/* info.c - hirl info: which program, library and backend this is; hirl info differences. */
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "keys.h"
#include "messages.h"
#include "session.h"
#include "verbs.h"

static int run_info(cli_session *session)
{
    int code = cli_session_begin(session);

    if (code)
        return code;
    if (!session->json)
        printf("libhirl   %s\nbuild     %s\nbackend   %s\nthreads   %d\n", hirl_version(),
               hirl_build_info(), hirl_context_backend(session->context),
               (int)hirl_context_threads(session->context));
    cli_emit(session, json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "event", "info", "version",
                                hirl_version(), "build", hirl_build_info(), "backend",
                                hirl_context_backend(session->context), "threads",
                                (int)hirl_context_threads(session->context), "abi",
                                (int)hirl_abi_version()));
    return CLI_OK;
}

const cli_verb cli_info = {
    .name = "info",
    .help = "version, build, backend and threads: what a bug report needs",
    .example = "",
    .objects = "context",
    .run = run_info,
};

/* why a small preset differs, key by key */
static const char *reason(const char *key)
{
    static const char *const why[][2] = {
        { "arch", "small images need few layers" },
        { "width", "a quarter of the channels: minutes instead of days on a CPU" },
        { "stem", "3x3 without pooling keeps the detail of small images" },
        { "image_size", "images of this size, not of 224 pixels" },
        { "epochs", "a run of minutes" },
        { "batch_size", "fewer images, more steps" },
        { "lr", "for this batch and a short run" },
        { "base_lr", "for this batch and a short run" },
        { "queue", "no longer than half of the images" },
        { "prototypes", "as many images a prototype as in the paper" },
        { "negatives", "there are fewer other leaves" },
        { "cluster_warmup_epoch",
          "early enough for a short run, late enough for features that mean something" },
        { "temperature", "measured: better in a short run" },
        { "blur_p", "a blur leaves little of small images" },
        { "ema", "fewer steps: the teacher must follow faster" },
        { "warmup_epochs", "a share of a short run" },
        { "min_lr", "in proportion to the rate" },
        { "head", "measured: batch norm lets targets differ within minutes" },
        { "hidden_dim", "narrow heads behind a narrow encoder" },
        { "predictor_dim", "narrow heads behind a narrow encoder" },
        { "z_dim", "narrow heads behind a narrow encoder" },
        { "out_dim", "fewer images need fewer prototypes or outputs" },
        { "head_layers", "small heads" },
        { "freeze_prototypes", "a share of a short run" },
        { "freeze_last_layer", "a share of a short run" },
        { "warmup_teacher_temperature_epochs", "a share of a short run" },
        { "local_crops_number", "fewer small views: minutes on a CPU" },
        { "local_crops_scale", "small images bear no smaller crops" },
        { "global_crops_scale", "small images bear no smaller crops" },
        { "local_crops_size", "in proportion to the image" },
        { "levels", "follows from the prototypes, which are chosen when the images are known" },
        { "bn_groups", "follows from the batch" },
        { "path_bn_groups", "follows from the batch" },
        { "eval_batch", "as the batch" },
        { "patch_size", "fewer tokens: minutes on a CPU" },
        { "vit_dim", "a small encoder" },
        { "vit_depth", "a small encoder" },
        { "vit_heads", "a small encoder" },
        { "drop_path", "a small encoder needs none" },
        { "optimizer", "LARC is for large batches" },
        { "warmup_lr", "a short run has no such warm-up" },
        { "weight_decay_end", "a short run keeps the first value" },
        { "teacher_temperature", "a short run keeps the first value" },
        { "sinkhorn_eps", "measured: targets of few prototypes stay apart" },
        { "jitter", "measured: better on small images" },
        { "solarize_p", "small images are hard to know without their tones" },
        { "warm", "minutes on a CPU: each tree starts from that of the epoch before" },
        { "kmeans_redo", "one start, from the tree of the epoch before" },
        { "kmeans_iterations", "a warm start needs fewer" },
    };

    for (size_t i = 0; i < sizeof why / sizeof *why; i++)
        if (!strcmp(why[i][0], key))
            return why[i][1];
    return "";
}

/* what no key says */
static const char *const also[][2] = {
    { "path loss",
      "profile=paper follows eq. 3; the authors' program (profile=reference) halves it (spd_weight) and masks a drawn positive (draw=all)" },
    { "batch norm on one device",
      "groups of bn_groups with permuted keys stand for the paper's 8 GPUs" },
    { "queue", "a key of the same image is never a negative; profile=reference: it is" },
    { "k-means",
      "warm=1, which the small presets keep, starts a level from the last tree; sums in f64, in row order" },
    { "k-means, profile=reference",
      "first rows, subsets and splits of empty clusters as faiss draws them, from scratch each epoch; "
      "a split gives up after 64 rounds, where faiss may loop for ever" },
    { "resize", "Pillow's arithmetic, on 8-bit pixels" },
    { "running statistics", "mean over the groups; profile=reference: those of the first" },
    { "average of the teacher",
      "taken when a step commits: the same image losses as at the start of the next one, where "
      "the authors' program takes it; trees are made of features one step newer" },
    { "DINO, iBOT",
      "clip=tensor as the methods' authors; profile=reference clips the common norm, decays all of h_l by "
      "0.01 and takes the next step's m" },
    { "SimSiam",
      "each view is encoded once; the authors' program encodes it twice, which gives the same loss and counts its "
      "running statistics twice" },
    { "SwAV",
      "crops of one size are one batch for its norms; profile=reference: each crop alone, leaves chosen anew in "
      "each step" },
    { "MoCo v3",
      "clusters the trained encoder's features and keeps the patch embedding; profile=reference: the "
      "average's, and trains it" },
    { "norms of h_l",
      "over parts of about 32 images (SwAV: 128), as on the paper's GPUs; path_bn_groups changes it" },
};

static const cli_key difference_keys[] = {
    { "method", "choice", "mocov2", "mocov2 simsiam swav mocov3 dino ibot", "",
      "whose presets are compared" },
    { 0 },
};

/* all that a run of the preset would use */
static hirl_status settings_of(hirl_options **resolved, const char *preset)
{
    hirl_options *options;
    hirl_status status = hirl_options_create(&options);

    if (status < 0)
        return status;
    status = hirl_options_preset(options, preset);
    if (status >= 0)
        status = hirl_options_resolve(resolved, options, 0);
    hirl_options_destroy(options);
    return status;
}

static const char *cell(const json_t *row, const char *column)
{
    return json_string_value(json_object_get(row, column));
}

/* columns as wide as what stands in them */
static void print_differences(const json_t *rows, char names[2][64])
{
    static const char *const column[] = { "key", "paper", "small" };
    const char *head[] = { "key", names[0], names[1] };
    int width[3];
    size_t index;
    json_t *row;

    for (int c = 0; c < 3; c++) {
        width[c] = (int)strlen(head[c]);
        json_array_foreach(rows, index, row) if ((int)strlen(cell(row, column[c])) > width[c])
            width[c] = (int)strlen(cell(row, column[c]));
    }
    printf("%-*s  %-*s  %-*s  why\n", width[0], head[0], width[1], head[1], width[2], head[2]);
    json_array_foreach(rows, index, row)
        printf("%-*s  %-*s  %-*s  %s\n", width[0], cell(row, "key"), width[1], cell(row, "paper"),
               width[2], cell(row, "small"), cell(row, "why"));
}

static int run_differences(cli_session *session)
{
    hirl_option_info info;
    hirl_options *small = NULL, *paper = NULL;
    json_t *rows = json_array();
    hirl_status status;
    char names[2][64];

    snprintf(names[0], sizeof names[0], "hirl-%s", cli_own(session, "method"));
    snprintf(names[1], sizeof names[1], "hirl-%s-small", cli_own(session, "method"));
    status = settings_of(&paper, names[0]);
    if (status >= 0)
        status = settings_of(&small, names[1]);
    for (int32_t i = 0; status >= 0 && cli_library_key(&info, i); i++) {
        const char *a = hirl_options_get(paper, info.name);
        const char *b = hirl_options_get(small, info.name);

        if (!strcmp(a, b) || !strcmp(info.name, "preset"))
            continue;
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "key", info.name, "paper", a,
                                              "small", b, "why", reason(info.name)));
    }
    hirl_options_destroy(paper);
    hirl_options_destroy(small);
    if (!session->json && status >= 0)
        print_differences(rows, names);
    if (!session->json && status >= 0)
        puts("\nthe same for every preset:");
    for (size_t i = 0; !session->json && status >= 0 && i < sizeof also / sizeof *also; i++)
        printf("%-26s %s\n", also[i][0], also[i][1]);
    cli_emit(session, json_pack("{s:s, s:o}", "event", "differences", "keys", rows));
    return cli_check(session, status);
}

const cli_verb cli_info_differences = {
    .name = "info differences",
    .help = "where the defaults differ from the paper, and why",
    .example = "",
    .objects = "",
    .keys = difference_keys,
    .run = run_differences,
};
