/* evaluation.c - how images become network input outside training: resize, centre crop, normalise.
 */
#include "data/evaluation.h"

enum { PART = 32 }; /* images of one call of the kernel */

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
    hr_augment_record record[PART];
    hr_array image[PART];

    for (int64_t from = 0; from < n; from += PART) {
        int64_t part = n - from < PART ? n - from : PART;
        hr_array y = hr_array_4(input + from * size * size * 3, HR_F32, part, size, size, 3);

        for (int64_t i = 0; i < part; i++) {
            int64_t at = from + i;

            image[i] = (hr_array){ (void *)pixels[at], HR_U8, 3, { height[at], width[at], 3, 1 } };
            hr_augment_draw(&record[i], view, width[at], height[at], 0, 0, at, 0);
        }
        queue->be->augment(queue, &y, image, record);
    }
    return queue->be->sync(queue);
}
