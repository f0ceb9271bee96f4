/* cancel.c - stops a run from another thread, and resumes it to the same bits.
 *
 * A thread trains. The main thread waits for some steps and requests a stop, as the button of a
 * window would. The state is saved in a folder; a new trainer, as after a restart of the program,
 * completes the run. Its last loss equals that of a run which nobody stopped.
 *
 *     cc cancel.c -o cancel $(pkg-config --cflags --libs hirl) -lpthread
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#include <hirl/hirl.h>

enum { STOP_AFTER = 3 };

typedef struct job {
    hirl_trainer *trainer;
    hirl_stop *stop;
    hirl_status status;
    char message[512]; /* errors belong to the thread whose call failed */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t step; /* guarded by lock */
    int ended;    /* guarded by lock */
} job;

static int32_t on_report(const hirl_step_report *report, void *user)
{
    job *j = user;

    pthread_mutex_lock(&j->lock);
    j->step = report->step;
    pthread_cond_signal(&j->changed);
    pthread_mutex_unlock(&j->lock);
    return 0;
}

static void *work(void *user)
{
    job *j = user;

    hirl_stop_use(j->stop); /* only the calls of this thread obey the stop */
    j->status = hirl_train_run(NULL, j->trainer);
    if (j->status < 0)
        snprintf(j->message, sizeof j->message, "%s", hirl_error_message());
    hirl_stop_use(NULL);
    pthread_mutex_lock(&j->lock);
    j->ended = 1;
    pthread_cond_signal(&j->changed);
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

/* Trains on a thread until some steps are made, and stops it there. */
static hirl_status run_and_stop(job *j)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, work, j))
        return HIRL_E_NOMEM;
    pthread_mutex_lock(&j->lock);
    while (j->step < STOP_AFTER && !j->ended)
        pthread_cond_wait(&j->changed, &j->lock);
    pthread_mutex_unlock(&j->lock);
    hirl_stop_request(j->stop);
    pthread_join(thread, NULL);
    hirl_stop_clear(j->stop);
    printf("stopped after step %d: %s\n", (int)j->step, hirl_status_name(j->status));
    return j->status == HIRL_E_CANCELED ? hirl_trainer_save(j->trainer, NULL) : j->status;
}

static hirl_status stop_one(hirl_context *context, hirl_dataset *images,
                            const hirl_options *options)
{
    job j = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
    hirl_status status = hirl_stop_create(&j.stop);

    if (status >= 0)
        status = hirl_trainer_create(&j.trainer, context, NULL, images, options);
    if (status >= 0)
        status = hirl_trainer_set_report(j.trainer, on_report, &j, NULL);
    if (status >= 0)
        status = run_and_stop(&j);
    hirl_trainer_destroy(j.trainer);
    hirl_stop_destroy(j.stop);
    return status;
}

/* Makes a run, or completes one, and returns its last loss. */
static hirl_status complete(double *loss, hirl_context *context, hirl_dataset *images,
                            const hirl_options *options)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_trainer_info info = { .struct_size = sizeof info };
    hirl_trainer *trainer = NULL;
    hirl_status status = hirl_trainer_create(&trainer, context, NULL, images, options);

    if (status >= 0)
        status = hirl_trainer_describe(&info, trainer);
    if (status >= 0)
        printf("%s: step %d of %d\n", info.out, (int)info.step, (int)info.steps);
    if (status >= 0)
        status = hirl_train_run(&report, trainer);
    *loss = report.loss;
    hirl_trainer_destroy(trainer);
    return status;
}

int main(int count, char **word)
{
    static const char *const key[][2] = { { "epochs", "2" },       { "batch_size", "32" },
                                          { "queue", "64" },       { "width", "0.125" },
                                          { "image_size", "32" },  { "hirl", "0" },
                                          { "max_images", "128" }, { "resume", "1" } };
    char stopped[512], whole[512];
    double loss = 0, expected = 1;
    hirl_options *options = NULL;
    hirl_context *context = NULL;
    hirl_dataset *images = NULL;
    hirl_status status = hirl_options_create(&options);

    snprintf(stopped, sizeof stopped, "%s/stopped", count > 1 ? word[1] : "cancel.run");
    snprintf(whole, sizeof whole, "%s/whole", count > 1 ? word[1] : "cancel.run");
    if (status >= 0)
        status = hirl_options_preset(options, "hirl-mocov2-small");
    for (size_t i = 0; i < sizeof key / sizeof *key && status >= 0; i++)
        status = hirl_options_set(options, key[i][0], key[i][1]);
    if (status >= 0)
        status = hirl_options_set(options, "out", stopped);
    if (status >= 0)
        status = hirl_context_create(&context, options);
    if (status >= 0)
        status = hirl_dataset_open(&images, context, "generated", options);
    if (status >= 0)
        status = stop_one(context, images, options);
    if (status >= 0)
        status = complete(&loss, context, images, options);
    if (status >= 0)
        status = hirl_options_set(options, "out", whole);
    if (status >= 0)
        status = complete(&expected, context, images, options);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", hirl_status_name(status), hirl_error_message());
    else
        printf("last loss: %.17g, without a stop %.17g\n", loss, expected);

    hirl_dataset_destroy(images);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
    return status < 0 || loss != expected;
}
