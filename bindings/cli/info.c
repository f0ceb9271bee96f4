/* info.c - hirl info: version, build and backend; hirl info differences: presets and the paper. */
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
    .help = "print version, build, backend and threads, for a bug report",
    .example = "",
    .objects = "context",
    .run = run_info,
};

/* Why the value of a key differs in a small preset. */
static const char *reason(const char *key)
{
    static const char *const why[][2] = {
        { "arch", "small images need few layers" },
        { "width", "a quarter of the channels: minutes instead of days on a CPU" },
        { "stem", "a 3x3 stem without pooling keeps the detail of small images" },
        { "image_size", "the preset is for images of this size" },
        { "epochs", "the run takes minutes" },
        { "batch_size", "there are fewer images; a smaller batch gives more steps" },
        { "lr", "suits this batch size and a short run" },
        { "base_lr", "suits this batch size and a short run" },
        { "queue", "half of the images, at most 65536" },
        { "prototypes", "as many images per prototype as in the paper" },
        { "negatives", "there are fewer other leaves" },
        { "cluster_warmup_epoch", "early enough for a short run, late enough for useful features" },
        { "temperature", "measured: better in a short run" },
        { "blur_p", "blur removes most of the detail of small images" },
        { "ema", "there are fewer steps, so the teacher must follow faster" },
        { "warmup_epochs", "a similar share of a short run" },
        { "min_lr", "in proportion to the learning rate" },
        { "fit", "small sets get smaller batches and queues" },
        { "exif", "photos of phones are turned upright" },
        { "head", "measured: with batch norm, targets become distinct within minutes" },
        { "hidden_dim", "narrow heads for a narrow encoder" },
        { "predictor_dim", "narrow heads for a narrow encoder" },
        { "z_dim", "narrow heads for a narrow encoder" },
        { "out_dim", "fewer images need fewer prototypes or outputs" },
        { "head_layers", "small heads for a small encoder" },
        { "freeze_prototypes", "a similar share of a short run" },
        { "freeze_last_layer", "a similar share of a short run" },
        { "warmup_teacher_temperature_epochs", "a similar share of a short run" },
        { "local_crops_number", "fewer local views: minutes on a CPU" },
        { "local_crops_scale", "smaller crops of small images show too little" },
        { "global_crops_scale", "smaller crops of small images show too little" },
        { "local_crops_size", "in proportion to the image size" },
        { "levels", "follows from prototypes, which are chosen once the images are known" },
        { "bn_groups", "follows from the batch size" },
        { "path_bn_groups", "follows from the batch size" },
        { "eval_batch", "equals the batch size" },
        { "patch_size", "fewer tokens: minutes on a CPU" },
        { "vit_dim", "a small encoder" },
        { "vit_depth", "a small encoder" },
        { "vit_heads", "a small encoder" },
        { "drop_path", "a small encoder needs none" },
        { "optimizer", "LARC is meant for large batches" },
        { "warmup_lr", "a short run does not warm up from this rate" },
        { "weight_decay_end", "a short run keeps the first value" },
        { "teacher_temperature", "a short run keeps the first value" },
        { "sinkhorn_eps", "measured: with few prototypes, targets stay distinct" },
        { "jitter", "measured: better on small images" },
        { "solarize_p", "small images are hard to recognise once solarised" },
        { "warm", "minutes on a CPU: each tree starts from the previous epoch's tree" },
        { "kmeans_redo", "one attempt, which starts from the previous epoch's tree" },
        { "kmeans_iterations", "a warm start needs fewer iterations" },
    };

    for (size_t i = 0; i < sizeof why / sizeof *why; i++)
        if (!strcmp(why[i][0], key))
            return why[i][1];
    return "";
}

/* differences that do not show in the value of a key */
static const char *const also[][2] = {
    { "path loss",
      "profile=paper follows eq. 3. As in the authors' code, profile=reference halves the loss\n"
      "(spd_weight) and draws negatives from all leaves, masking the positive (draw=all)." },
    { "eps in eq. 3",
      "spd_eps=1e-6 is added in both logarithms, as in the authors' code; the paper has none." },
    { "normalisation before k-means",
      "Features are scaled to unit length before they are clustered, and prototypes are centroids\n"
      "of unit length; Alg. 1 leaves this open. hirl cluster normalize=0 does not scale rows." },
    { "network of MoCo v2",
      "Clusters features of the teacher (cluster_network), as the paper does; embed and eval\n"
      "use the online network, as the authors of MoCo do. network=teacher evaluates the teacher." },
    { "batch norm on one device",
      "bn_groups groups with shuffled keys stand in for the paper's 8 GPUs." },
    { "queue", "A key of the same image is never a negative; with profile=reference it is." },
    { "k-means", "With warm=1 (small presets), a level starts from the last tree.\n"
                 "Sums are in f64, in row order." },
    { "k-means, profile=reference",
      "Initial rows, subsets and splits of empty clusters are drawn as in faiss, from scratch in\n"
      "each epoch. A split gives up after 64 rounds, where faiss may loop forever." },
    { "resize", "The arithmetic of Pillow, on 8-bit pixels." },
    { "running statistics",
      "Averaged over the groups; with profile=reference, those of the first group." },
    { "update of the teacher",
      "Made when a step commits; the authors' code makes it at the start of the next step. Image\n"
      "losses are the same, but trees are built from features that are one step newer." },
    { "DINO, iBOT",
      "clip=tensor, as in the original code of these methods. profile=reference clips the global\n"
      "norm, applies weight decay 0.01 to h_l, and takes the next step's m for the teacher." },
    { "SimSiam",
      "Each view is encoded once. The authors' code encodes it twice, which gives the same loss\n"
      "but updates the running statistics twice." },
    { "SwAV",
      "Crops of one size share batch statistics. With profile=reference each crop has its own,\n"
      "and leaves are reassigned in every step." },
    { "MoCo v3",
      "Clusters features of the online network, whose patch embedding is frozen. With\n"
      "profile=reference, clusters features of the teacher and trains the patch embedding." },
    { "batch norm in h_l",
      "Over groups of about 32 images (SwAV: 128), as on the paper's GPUs; see path_bn_groups." },
};

static const cli_key difference_keys[] = {
    { "method", "choice", "mocov2", "mocov2 simsiam swav mocov3 dino ibot", "",
      "method whose presets to compare" },
    { 0 },
};

/* The settings that a run with the preset would use. */
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

/* Prints a table whose columns are as wide as their widest cell. */
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

/* A line break in the text starts a new line of the second column. */
static void print_also(void)
{
    puts("\nfurther differences, common to all presets:");
    for (size_t i = 0; i < sizeof also / sizeof *also; i++) {
        const char *text = also[i][1], *end;

        printf("%-28s", also[i][0]);
        for (; (end = strchr(text, '\n')); text = end + 1)
            printf("%.*s\n%28s", (int)(end - text), text, "");
        puts(text);
    }
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
        print_also();
    cli_emit(session, json_pack("{s:s, s:o}", "event", "differences", "keys", rows));
    return cli_check(session, status);
}

const cli_verb cli_info_differences = {
    .name = "info differences",
    .help = "list where a small preset differs from the paper, and why",
    .example = "",
    .objects = "",
    .keys = difference_keys,
    .run = run_differences,
};
