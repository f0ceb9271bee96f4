/* test_context.c - a context among the threads, signals and children of its host.
 *
 * A forked child is refused, never left hanging; many threads embed with one model; hirl_cancel from
 * a signal handler or another thread stops each long call, which then goes on to the same result; a
 * rain of signals changes nothing.
 */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hirl/hirl.h>

#include "context.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

enum { IMAGES = 32, SIDE = 16, COLUMNS = 32, ROWS = 120, D = 4 };

typedef struct world {
    hirl_context *context;
    hirl_options *options;
    hirl_dataset *dataset;
    hirl_model *model;
    hirl_tree *tree;
    hirl_trainer *trainer;
} world;

static uint8_t pixels[IMAGES][SIDE][SIDE][3];
static float rows[ROWS * D];
static int32_t label[ROWS];

static void set(world *w, const char *key, const char *value)
{
    hr_assert_ok(hirl_options_set(w->options, key, value));
}

static void open_world(world *w)
{
    static bool drawn;
    static const char *const small[][2] = {
        { "arch", "resnet18" }, { "width", "0.0625" },     { "stem", "small" },
        { "image_size", "16" }, { "batch_size", "8" },     { "prototypes", "6,3" },
        { "negatives", "3" },   { "queue", "16" },         { "lr", "0.03" },
        { "z_dim", "8" },       { "kmeans_redo", "2" },    { "kmeans_iterations", "2" },
        { "seed", "7" },        { "loader_threads", "1" }, { "cluster_warmup_epoch", "1" },
        { "epochs", "2" },      { "backend", "cpu" },      { "threads", "2" },
        { "levels", "2" },      { "eval_batch", "8" },     { "knn_k", "3" },
    };

    memset(w, 0, sizeof *w);
    for (int i = 0; i < (int)sizeof pixels && !drawn;
         i++) /* once: another world's threads may read */
        (&pixels[0][0][0][0])[i] = (uint8_t)(i * 31 + i / 777 * 13);
    drawn = true;
    for (int i = 0; i < ROWS * D; i++)
        rows[i] = (float)((i * 37 + i * i * 11) % 61) / 8 - 3;
    for (int i = 0; i < ROWS; i++)
        label[i] = i % 4;
    hr_assert_ok(hirl_options_create(&w->options));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        set(w, small[i][0], small[i][1]);
    hr_assert_ok(hirl_context_create(&w->context, w->options));
    hr_assert_ok(hirl_dataset_from_memory(&w->dataset, w->context, &pixels[0][0][0][0], IMAGES,
                                          SIDE, SIDE, 3, NULL, 0, w->options));
    hr_assert_ok(hirl_model_create(&w->model, w->context, w->options));
    hr_assert_ok(hirl_cluster(&w->tree, w->context, rows, ROWS, D, NULL, NULL, w->options));
    hr_assert_ok(hirl_trainer_create(&w->trainer, w->context, NULL, w->dataset, w->options));
}

static void close_world(world *w)
{
    hirl_trainer_destroy(w->trainer);
    hirl_tree_destroy(w->tree);
    hirl_model_destroy(w->model);
    hirl_dataset_destroy(w->dataset);
    hirl_context_destroy(w->context);
    hirl_options_destroy(w->options);
}

/* ---- long calls ---- */

typedef struct result {
    float value[ROWS * 16];
} result;

static hirl_status train(result *r, world *w)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_status status = hirl_train_run(&report, w->trainer);

    r->value[0] = (float)report.loss;
    return status;
}

static hirl_status evaluate(result *r, world *w)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_status status = hirl_trainer_evaluate(&report, w->trainer, w->dataset);

    r->value[0] = (float)report.loss;
    return status;
}

static hirl_status cluster(result *r, world *w)
{
    hirl_tree *tree = NULL;
    hirl_status status = hirl_cluster(&tree, w->context, rows, ROWS, D, NULL, NULL, w->options);

    if (status >= 0)
        memcpy(r->value, hirl_tree_leaves(tree), ROWS * sizeof(int32_t));
    hirl_tree_destroy(tree);
    return status;
}

static hirl_status embed(result *r, world *w)
{
    const uint8_t *image[IMAGES];
    int64_t side[IMAGES];

    for (int i = 0; i < IMAGES; i++) {
        image[i] = pixels[i][0][0];
        side[i] = SIDE;
    }
    return hirl_model_embed(r->value, w->model, NULL, image, side, side, IMAGES);
}

static hirl_status embed_dataset(result *r, world *w)
{
    return hirl_model_embed_dataset(r->value, NULL, w->model, NULL, w->dataset, w->options);
}

static hirl_status find_neighbours(result *r, world *w)
{
    hirl_knn_report report = { .struct_size = sizeof report };
    hirl_status status =
        hirl_eval_knn(&report, w->context, rows, label, ROWS, NULL, NULL, 0, D, w->options);

    r->value[0] = (float)report.best_top1;
    return status;
}

static hirl_status create_with_own_colours(result *r, world *w)
{
    hirl_trainer *trainer = NULL;
    hirl_status status;

    (void)r;
    set(w, "mean", "auto");
    set(w, "std", "auto");
    status = hirl_trainer_create(&trainer, w->context, NULL, w->dataset, w->options);
    hirl_trainer_destroy(trainer);
    return status;
}

static hirl_status make_path_loss(result *r, world *w)
{
    return hirl_spd_loss(r->value, NULL, w->context, w->tree, rows, 8, label, NULL, 3, 1,
                         w->options);
}

static hirl_status save_model(result *r, world *w)
{
    (void)r;
    return hirl_model_save(w->model, "/tmp/hirl-never-written");
}

static hirl_status open_generated(result *r, world *w)
{
    hirl_dataset *dataset = NULL;
    hirl_status status = hirl_dataset_open(&dataset, w->context, "generated", w->options);

    (void)r;
    hirl_dataset_destroy(dataset);
    return status;
}

/* phase: of the progress line where it is stopped; NULL: too short to be stopped */
typedef struct long_call {
    const char *phase;
    hirl_status (*call)(result *r, world *w);
} long_call;

static const long_call calls[] = {
    { "train", train },         { "extract", train },       { "cluster", train },
    { "evaluate", evaluate },   { "cluster", cluster },     { "embed", embed },
    { "embed", embed_dataset }, { "knn", find_neighbours }, { "colours", create_with_own_colours },
    { NULL, make_path_loss },   { NULL, save_model },       { NULL, open_generated },
};
enum { CALLS = sizeof calls / sizeof *calls, LONG_CALLS = 9 };

/* ---- fork ---- */

static void die_when_hanging(void)
{
    signal(SIGALRM, SIG_DFL); /* Check's own handler ends the whole group */
    alarm(60);
}

/* in a child: 0, or the number of the call that was not refused */
static int refused(world *w)
{
    static result r;

    die_when_hanging();
    for (int i = 0; i < CALLS; i++)
        if (calls[i].call(&r, w) != HIRL_E_FORKED || !strstr(hirl_error_message(), "fork"))
            return 1 + i;
    return 0;
}

static int status_of(pid_t child)
{
    int status;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "the child ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

START_TEST(a_forked_child_is_refused_and_can_clean_up)
{
    static result before, after;
    pid_t child;
    world w;

    open_world(&w);
    hr_assert_ok(hirl_train_step(NULL, w.trainer)); /* loader threads are at work */
    hr_assert_ok(embed(&before, &w));
    child = fork();
    if (!child) {
        int failed = refused(&w);

        close_world(&w);
        _exit(failed);
    }
    ck_assert_int_eq(status_of(child), 0);
    hr_assert_ok(embed(&after, &w)); /* the parent goes on */
    ck_assert_mem_eq(&before, &after, sizeof before);
    hr_assert_ok(hirl_train_run(NULL, w.trainer));
    close_world(&w);
}
END_TEST

#ifndef __SANITIZE_THREAD__ /* it cannot follow threads that a forked child starts */
START_TEST(a_forked_child_may_make_a_context_of_its_own)
{
    static result before, after;
    pid_t child;
    world w;

    open_world(&w);
    hr_assert_ok(embed(&before, &w));
    child = fork();
    if (!child) {
        world own;

        die_when_hanging();
        open_world(&own);
        if (embed(&after, &own) < 0 || memcmp(&before, &after, sizeof before))
            _exit(1);
        if (hirl_train_run(NULL, own.trainer) < 0)
            _exit(2);
        close_world(&own);
        _exit(0);
    }
    ck_assert_int_eq(status_of(child), 0);
    close_world(&w);
}
END_TEST
#endif

/* ---- many threads ---- */

enum { THREADS = 8, ROUNDS = 4 };

typedef struct worker {
    world *w;
    const result *wanted;
    int wrong;
} worker;

static void *embed_often(void *user)
{
    worker *me = user;
    result *r = calloc(1, sizeof *r);

    for (int i = 0; i < ROUNDS; i++)
        me->wrong += embed(r, me->w) < 0 || memcmp(r, me->wanted, sizeof *r) != 0;
    free(r);
    return NULL;
}

START_TEST(eight_threads_embed_with_one_model_to_the_same_bits)
{
    static result wanted;
    pthread_t thread[THREADS];
    worker me[THREADS];
    world w;

    open_world(&w);
    memset(&wanted, 0, sizeof wanted);
    hr_assert_ok(embed(&wanted, &w));
    for (int i = 0; i < THREADS; i++) {
        me[i] = (worker){ &w, &wanted, 0 };
        ck_assert_int_eq(pthread_create(&thread[i], NULL, embed_often, &me[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        ck_assert_msg(me[i].wrong == 0, "thread %d: %d of %d rounds differ", i, me[i].wrong,
                      ROUNDS);
    }
    close_world(&w);
}
END_TEST

/* ---- callbacks of several threads ---- */

/* a thread within a call of another one, in the same context */
typedef struct second {
    world *w;
    pthread_t thread;
    hirl_status status;
    int lines, steps;      /* heard on its own thread */
    int other_lines, rest; /* on the first one */
    bool asked, lined;
} second;

static void hear_line(int32_t level, const char *text, void *user)
{
    second *s = user;

    (void)level;
    if (strstr(text, "from a loader"))
        s->lined = pthread_equal(pthread_self(), s->thread) == 0;
    else if (s->asked && pthread_equal(pthread_self(), s->thread))
        s->lines++;
    else
        s->other_lines++;
}

static void *train_beside(void *user)
{
    second *s = user;
    hirl_trainer *trainer = NULL;

    s->thread = pthread_self();
    s->status = hirl_trainer_create(&trainer, s->w->context, NULL, s->w->dataset, s->w->options);
    if (s->status >= 0)
        s->status = hirl_train_run(NULL, trainer);
    hirl_trainer_destroy(trainer);
    return NULL;
}

/* its third step is its last */
static int32_t hear_progress(const char *phase, int64_t done, int64_t total, void *user)
{
    second *s = user;
    pthread_t thread;

    (void)done;
    (void)total;
    if (!s->asked) {
        s->asked = true;
        if (pthread_create(&thread, NULL, train_beside, s))
            return -1;
        pthread_join(thread, NULL);
        return 0;
    }
    if (!strcmp(phase, "train"))
        return ++s->steps == 3;
    s->rest++;
    return 0;
}

/* the stop is the second call's own: the first one goes on */
START_TEST(a_second_thread_of_a_context_hears_of_its_own_call)
{
    static result wanted, r;
    second s = { .w = NULL };
    world w;

    open_world(&w);
    hr_assert_ok(embed_dataset(&wanted, &w));
    s.w = &w;
    hirl_context_set_log(w.context, hear_line, &s);
    s.other_lines = 0;
    hirl_context_set_progress(w.context, hear_progress, &s);
    hr_assert_ok(embed_dataset(&r, &w));
    ck_assert_int_eq(s.status, HIRL_E_CANCELED);
    ck_assert_int_eq(s.steps, 3);
    ck_assert_int_ge(s.lines, 3); /* of the run, and its prototypes */
    ck_assert_int_eq(s.other_lines, 0);
    ck_assert_int_ge(s.rest, 1);
    ck_assert_mem_eq(&r, &wanted, sizeof r);
    close_world(&w);
}
END_TEST

static void *work_for_a_call(void *user)
{
    second *s = user;

    s->thread = pthread_self();
    hr_log(s->w->context, HIRL_LOG_INFO, "from a loader");
    s->status = hr_progress(s->w->context, "train", 1, 2);
    return NULL;
}

static int32_t lend_work(const char *phase, int64_t done, int64_t total, void *user)
{
    second *s = user;
    pthread_t thread;

    (void)done;
    (void)total;
    s->steps += !strcmp(phase, "train");
    if (s->asked)
        return 0;
    s->asked = true;
    if (pthread_create(&thread, NULL, work_for_a_call, s))
        return -1;
    pthread_join(thread, NULL);
    return s->lined ? -1 : 0; /* too early: its thread made no call */
}

START_TEST(a_thread_that_made_no_call_is_not_called_back)
{
    static result r;
    second s = { .status = -1 };
    world w;

    open_world(&w);
    s.w = &w;
    hirl_context_set_log(w.context, hear_line, &s);
    hirl_context_set_progress(w.context, lend_work, &s);
    hr_assert_ok(embed(&r, &w));
    ck_assert_int_eq(s.status, HIRL_OK);
    ck_assert_int_eq(s.steps, 0);
    ck_assert(s.lined);
    close_world(&w);
}
END_TEST

/* a call within a call, of another context on the same thread */
typedef struct nested {
    world *inner;
    int outer_lines, inner_lines;
} nested;

static int32_t count_inner(const char *phase, int64_t done, int64_t total, void *user)
{
    nested *n = user;

    (void)phase, (void)done, (void)total;
    n->inner_lines++;
    return 0;
}

static int32_t call_another(const char *phase, int64_t done, int64_t total, void *user)
{
    static result r;
    nested *n = user;

    (void)phase, (void)done, (void)total;
    n->outer_lines++;
    return embed(&r, n->inner);
}

START_TEST(a_callback_may_call_another_context)
{
    static result r;
    world outer, inner;
    nested n = { .inner = &inner };

    open_world(&outer);
    open_world(&inner);
    hirl_context_set_progress(outer.context, call_another, &n);
    hirl_context_set_progress(inner.context, count_inner, &n);
    hr_assert_ok(embed_dataset(&r, &outer));
    ck_assert_int_ge(n.outer_lines, 2);
    ck_assert_int_eq(n.inner_lines, n.outer_lines);
    close_world(&inner);
    close_world(&outer);
}
END_TEST

/* ---- cancel ---- */

static hirl_context *volatile to_cancel;

static void cancel_in_handler(int number)
{
    (void)number;
    hirl_cancel(to_cancel);
}

static void *cancel_in_thread(void *user)
{
    hirl_cancel(user);
    return NULL;
}

typedef struct stop {
    const char *phase;
    hirl_context *context;
    bool by_signal, done;
} stop;

/* at the first line of the phase: a signal, or a thread that comes and goes */
static int32_t stop_once(const char *phase, int64_t done, int64_t total, void *user)
{
    stop *s = user;
    pthread_t thread;

    (void)done;
    (void)total;
    if (s->done || strcmp(phase, s->phase))
        return 0;
    s->done = true;
    if (s->by_signal)
        raise(SIGUSR1);
    else if (!pthread_create(&thread, NULL, cancel_in_thread, s->context))
        pthread_join(thread, NULL);
    return 0;
}

START_TEST(cancel_stops_each_long_call_which_then_goes_on)
{
    static result stopped, whole;
    const long_call *c = &calls[_i % LONG_CALLS];
    stop s = { .phase = c->phase, .by_signal = _i >= LONG_CALLS };
    world w;

    memset(&stopped, 0, sizeof stopped);
    memset(&whole, 0, sizeof whole);
    signal(SIGUSR1, cancel_in_handler);
    open_world(&w);
    hr_assert_ok(c->call(&whole, &w));
    close_world(&w);
    open_world(&w);
    to_cancel = s.context = w.context;
    hirl_context_set_progress(w.context, stop_once, &s);
    hr_assert_fails(c->call(&stopped, &w), HIRL_E_CANCELED, "stopped");
    ck_assert(s.done);
    hr_assert_ok(c->call(&stopped, &w));
    ck_assert_mem_eq(&stopped, &whole, sizeof whole);
    hirl_cancel(w.context); /* between two calls: the next one */
    hr_assert_fails(cluster(&stopped, &w), HIRL_E_CANCELED, "stopped");
    hr_assert_ok(cluster(&stopped, &w));
    hirl_cancel(NULL);
    close_world(&w);
    signal(SIGUSR1, SIG_DFL);
}
END_TEST

/* ---- signals ---- */

static atomic_int signals; /* threads of OpenBLAS, which are not ours, take some of them */
static struct sigaction kept;

static void count_signal(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
}

/* without SA_RESTART: every system call that a signal meets fails with EINTR */
static void let_it_rain(int microseconds)
{
    struct sigaction action = { .sa_handler = count_signal };
    struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };

    if (microseconds)
        sigaction(SIGALRM, &action, &kept);
    setitimer(ITIMER_REAL, &timer, NULL);
    if (!microseconds)
        sigaction(SIGALRM, &kept, NULL);
}

static char *whole_run(size_t *bytes, const char *folder)
{
    char path[HR_TEST_PATH];
    hirl_model *model;
    char *data;
    FILE *file;
    world w;

    open_world(&w);
    hirl_trainer_destroy(w.trainer);
    w.trainer = NULL;
    set(&w, "out", hr_test_path(path, folder, "run"));
    hr_assert_ok(hirl_trainer_create(&w.trainer, w.context, NULL, w.dataset, w.options));
    hr_assert_ok(hirl_train_run(NULL, w.trainer));
    hr_assert_ok(hirl_trainer_save(w.trainer, NULL));
    hr_assert_ok(hirl_trainer_load(w.trainer,
                                   hr_test_path(path, folder, "run/checkpoints/last.safetensors")));
    hr_assert_ok(hirl_model_load(&model, w.context, hr_test_path(path, folder, "run"), NULL));
    hirl_model_destroy(model);
    file = fopen(hr_test_path(path, folder, "run/model.safetensors"), "rb");
    ck_assert_ptr_nonnull(file);
    data = calloc(1, 1 << 22);
    *bytes = fread(data, 1, 1 << 22, file);
    fclose(file);
    hr_test_remove(hr_test_path(path, folder, "run"));
    close_world(&w);
    return data;
}

START_TEST(a_thousand_signals_a_second_change_nothing)
{
    char folder[HR_TEST_PATH], *quiet, *rain;
    size_t bytes[2];

    hr_test_folder(folder);
    quiet = whole_run(&bytes[0], folder);
    let_it_rain(1000);
    rain = whole_run(&bytes[1], folder);
    let_it_rain(0);
    ck_assert_int_gt(atomic_load(&signals), 0);
    ck_assert_uint_gt(bytes[0], 1000);
    ck_assert_uint_eq(bytes[0], bytes[1]);
    ck_assert(!memcmp(quiet, rain, bytes[0]));
    free(quiet);
    free(rain);
    hr_test_remove(folder);
}
END_TEST

/* the first that is given: the option, HIRL_NUM_THREADS, OMP_NUM_THREADS */
START_TEST(threads_come_from_the_option_or_the_environment)
{
    static const struct {
        const char *option, *own, *program;
        int threads;
    } given[] = { { "2", "3", "5", 2 },   { NULL, "3", "5", 3 }, { NULL, "", "5", 5 },
                  { NULL, "", "4,2", 4 }, { NULL, "", "x", 0 },  { NULL, "", "0", 0 } };
    int cores = 0;

    for (int i = (int)(sizeof given / sizeof *given) - 1; i >= 0; i--) {
        hirl_options *options;
        hirl_context *context;

        setenv("HIRL_NUM_THREADS", given[i].own, 1);
        setenv("OMP_NUM_THREADS", given[i].program, 1);
        hr_assert_ok(hirl_options_create(&options));
        if (given[i].option)
            hr_assert_ok(hirl_options_set(options, "threads", given[i].option));
        hr_assert_ok(hirl_context_create(&context, options));
        cores = cores ? cores : hirl_context_threads(context);
        ck_assert_int_eq(hirl_context_threads(context),
                         given[i].threads ? given[i].threads : cores);
        hirl_context_destroy(context);
        hirl_options_destroy(options);
    }
    unsetenv("HIRL_NUM_THREADS");
    unsetenv("OMP_NUM_THREADS");
}
END_TEST

static void keep_line(int32_t level, const char *text, void *user)
{
    (void)level;
    snprintf(user, 64, "%s", text);
}

/* names of files may hold any byte */
START_TEST(a_line_of_the_log_is_one_line)
{
    char line[64] = "";
    hirl_context *context;
    hr_call call;

    hr_assert_ok(hirl_context_create(&context, NULL));
    hirl_context_set_log(context, keep_line, line);
    hr_assert_ok(hr_context_enter(&call, context));
    hr_log(context, HIRL_LOG_WARNING, "%s: unreadable", "a\nwarning: b\x1b[2J");
    ck_assert_str_eq(line, "a?warning: b?[2J: unreadable");
    hr_assert_ok(hr_context_leave(&call, HIRL_OK));
    hirl_context_destroy(context);
}
END_TEST

/* its progress and its cancel would be those of a call that nobody made */
START_TEST(a_data_set_of_another_context_is_refused)
{
    static result r;
    hirl_context *other;
    hirl_dataset *images;
    world w;

    open_world(&w);
    hr_assert_ok(hirl_context_create(&other, w.options));
    hr_assert_ok(hirl_dataset_open(&images, other, "generated", w.options));
    hr_assert_fails(hirl_model_embed_dataset(r.value, NULL, w.model, NULL, images, w.options),
                    HIRL_E_INVALID, "another context");
    hirl_dataset_destroy(images);
    hirl_context_destroy(other);
    close_world(&w);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("context");
    TCase *c = tcase_create("context");

    tcase_set_timeout(c, 0);
    tcase_add_test(c, a_forked_child_is_refused_and_can_clean_up);
#ifndef __SANITIZE_THREAD__
    tcase_add_test(c, a_forked_child_may_make_a_context_of_its_own);
#endif
    tcase_add_test(c, a_line_of_the_log_is_one_line);
    tcase_add_test(c, a_data_set_of_another_context_is_refused);
    tcase_add_test(c, threads_come_from_the_option_or_the_environment);
    tcase_add_test(c, eight_threads_embed_with_one_model_to_the_same_bits);
    tcase_add_test(c, a_second_thread_of_a_context_hears_of_its_own_call);
    tcase_add_test(c, a_thread_that_made_no_call_is_not_called_back);
    tcase_add_test(c, a_callback_may_call_another_context);
    tcase_add_loop_test(c, cancel_stops_each_long_call_which_then_goes_on, 0, 2 * LONG_CALLS);
    tcase_add_test(c, a_thousand_signals_a_second_change_nothing);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
