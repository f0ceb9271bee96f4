/* evaluation.c - how images become network input outside training: resize, centre crop, normalise. */
#include "data/evaluation.h"

void hr_evaluation_view(hr_view *view, int64_t size, int32_t filter, const double mean[3],
                        const double std[3])
{
    float mean_f32[3], std_f32[3];

    for (int i = 0; i < 3; i++) {
        mean_f32[i] = (float)mean[i];
        std_f32[i] = (float)std[i];
    }
    hr_view_evaluation(view, (int32_t)size, filter, mean_f32, std_f32);
}

hirl_status hr_evaluation_input(float *input, hr_queue *queue, const hr_view *view,
                                const uint8_t *const *pixels, const int64_t *height,
                                const int64_t *width, int64_t n)
{
    int64_t size = view->size;

    for (int64_t i = 0; i < n; i++) {
        hr_array y = { input + i * size * size * 3, HR_F32, 3, { size, size, 3, 1 } };
        hr_array x = { (void *)pixels[i], HR_U8, 3, { height[i], width[i], 3, 1 } };
        hr_augment_record record;

        hr_augment_draw(&record, view, width[i], height[i], 0, 0, i, 0);
        queue->be->augment(queue, &y, &x, &record);
    }
    return queue->be->sync(queue);
}
