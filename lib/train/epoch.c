/* epoch.c - measures at the end of an epoch and writes the model at the end of a run. */
#include "train/epoch.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "nn/model.h"
#include "train/exchange.h"
#include "train/journal.h"
#include "train/linear.h"
#include "train/recluster.h"
#include "train/run.h"

enum { HEALTH_IMAGES = 256 };

static hirl_status measure(hirl_trainer *trainer, double loss)
{
    hr_learner *learner = trainer->learner;
    const hr_pretrain *pretrain = trainer->pretrain;
    hr_extract_config config = hr_trainer_extract_config(trainer);
    int64_t n = trainer->dataset->count < HEALTH_IMAGES ? trainer->dataset->count : HEALTH_IMAGES;
    int64_t d = pretrain->net.z_dim;
    hr_method_config m = hr_pretrain_numbers(pretrain);
    float *z = hr_alloc_array((size_t)((n + config.batch) * d), sizeof *z);
    double *work = hr_alloc_array((size_t)(d * d + d), sizeof *work);
    hr_extract *extract = NULL;
    hirl_status status;
    bool ended = false;

    config.batch = config.batch < n ? config.batch : (int32_t)n;
    config.sample = n;
    status = z && work ? HIRL_OK : HIRL_E_NOMEM;

    if (status >= 0)
        status = hr_extract_create(&extract, learner->queue, trainer->dataset, &pretrain->net,
                                   &learner->online, &config);
    while (status >= 0 && !ended)
        status = hr_extract_step(&ended, z, NULL, extract);
    if (status >= 0) {
        hr_health health;

        hr_health_measure(&health, z, n, d, work);
        hr_journal_health(trainer, &health,
                          hr_health_judge(&health, d, loss, pretrain->method->chance(&m),
                                          trainer->progress.step));
    }
    hr_extract_destroy(extract);
    hr_free(work);
    hr_free(z);
    return status;
}

hirl_status hr_epoch_measure(hirl_trainer *trainer, double loss)
{
    return trainer->pretrain ? measure(trainer, loss) : HIRL_OK;
}

static hirl_status save_network(const hirl_trainer *trainer)
{
    char *path = hr_path_join(trainer->directory.path, "model.safetensors");
    hirl_model *model = NULL;
    hr_tensors list;
    hirl_status status = path ? hr_trainer_model(&model, trainer, "auto") : HIRL_E_NOMEM;

    hr_tensors_init(&list);
    if (status >= 0)
        status = hr_model_to_tensors(&list, model);
    if (status >= 0)
        status = hr_tensors_save(&list, path);
    hr_tensors_done(&list);
    hr_model_destroy(model);
    hr_free(path);
    return status;
}

hirl_status hr_epoch_save_model(const hirl_trainer *trainer)
{
    if (trainer->pretrain)
        return save_network(trainer);
    return trainer->probe ? hr_linear_save(trainer) : HIRL_OK; /* other tasks: checkpoints alone */
}
