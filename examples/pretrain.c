/* pretrain.c - trains HIRL-MoCo v2 step by step, on a folder of images or on generated ones.
 *
 *     cc pretrain.c -o pretrain $(pkg-config --cflags --libs hirl)
 *     ./pretrain my/photos model.safetensors 20
 */
#include <stdint.h>
#include <stdio.h>

#include <hirl/hirl.h>

static void on_log(int32_t level, const char *text, void *user)
{
    (void)user;
    if (level <= HIRL_LOG_INFO)
        fprintf(stderr, "%s\n", text);
}

/* Prints one line per epoch. The report also holds rates, health measures and the time left. */
static hirl_status train(hirl_trainer *trainer)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_status status;

    while ((status = hirl_train_step(&report, trainer)) == HIRL_OK) {
        if (report.clustered)
            printf("clustered in %.1f s\n", report.cluster_seconds);
        if (report.epoch_end)
            printf("epoch %2d of %d: loss %.3f = %.3f + %.3f, %.0f images/s\n",
                   (int)report.epoch + 1, (int)report.epochs, report.loss, report.loss_image,
                   report.loss_spd, report.images_per_s);
    }
    return status;
}

/* Saves the network that the method evaluates, as one file with torchvision's parameter names. */
static hirl_status save(const hirl_trainer *trainer, const char *path)
{
    hirl_model *model = NULL;
    hirl_status status = hirl_trainer_model(&model, trainer, "auto");

    if (status >= 0)
        status = hirl_model_save(model, path);
    if (status >= 0)
        printf("wrote %s\n", path);
    hirl_model_destroy(model);
    return status;
}

int main(int count, char **word)
{
    const char *data = count > 1 ? word[1] : "generated";
    const char *path = count > 2 ? word[2] : "model.safetensors";
    hirl_options *options = NULL;
    hirl_context *context = NULL;
    hirl_dataset *images = NULL;
    hirl_trainer *trainer = NULL;
    hirl_dataset_info info = { .struct_size = sizeof info };
    hirl_status status = hirl_options_create(&options);

    if (status >= 0)
        status = hirl_options_preset(options, "hirl-mocov2-small");
    if (status >= 0 && count > 3)
        status = hirl_options_set(options, "epochs", word[3]);
    for (int i = 4; i + 1 < count && status >= 0; i += 2) /* further pairs of key and value */
        status = hirl_options_set(options, word[i], word[i + 1]);
    if (status >= 0)
        status = hirl_context_create(&context, options);
    if (status >= 0) {
        hirl_context_set_log(context, HIRL_LOG_DEBUG, on_log, NULL, NULL);
        status = hirl_dataset_open(&images, context, data, options);
    }
    if (status >= 0)
        status = hirl_dataset_describe(&info, images);
    if (status >= 0) {
        printf("%s\n", info.summary);
        status = hirl_trainer_create(&trainer, context, NULL, images, options);
    }
    if (status >= 0)
        status = train(trainer);
    if (status >= 0)
        status = save(trainer, path);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", hirl_status_name(status), hirl_error_message());

    hirl_trainer_destroy(trainer);
    hirl_dataset_destroy(images);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
    return status < 0;
}
