/* sizes.c - offsets of the fields of public structs, on machines with 64-bit pointers (LP64).
 *
 * A line never changes after a release: a new field is appended to its struct, with a new line and
 * a new size. The test is that this file compiles.
 */
#include <hirl/hirl.h>

#include <stddef.h>

#define FIELD(type, field, offset)                                                                 \
    _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved");
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " has another size");

#if UINTPTR_MAX > 0xffffffffu
/* clang-format off */
FIELD(hirl_tree_score, struct_size, 0)
FIELD(hirl_tree_score, levels, 8)
FIELD(hirl_tree_score, purity, 16)
FIELD(hirl_tree_score, nmi, 80)
FIELD(hirl_tree_score, dendrogram_purity, 144)
SIZE(hirl_tree_score, 152)

FIELD(hirl_dataset_info, struct_size, 0)
FIELD(hirl_dataset_info, format, 8)
FIELD(hirl_dataset_info, split, 16)
FIELD(hirl_dataset_info, summary, 24)
FIELD(hirl_dataset_info, count, 32)
FIELD(hirl_dataset_info, min_width, 40)
FIELD(hirl_dataset_info, max_width, 48)
FIELD(hirl_dataset_info, min_height, 56)
FIELD(hirl_dataset_info, max_height, 64)
FIELD(hirl_dataset_info, label_levels, 72)
FIELD(hirl_dataset_info, classes, 76)
FIELD(hirl_dataset_info, skipped, 96)
FIELD(hirl_dataset_info, splits, 104)
SIZE(hirl_dataset_info, 112)

FIELD(hirl_image, struct_size, 0)
FIELD(hirl_image, encoded, 8)
FIELD(hirl_image, encoded_bytes, 16)
FIELD(hirl_image, pixels, 24)
FIELD(hirl_image, height, 32)
FIELD(hirl_image, width, 40)
FIELD(hirl_image, channels, 48)
FIELD(hirl_image, release, 56)
FIELD(hirl_image, token, 64)
SIZE(hirl_image, 72)

FIELD(hirl_knn_report, struct_size, 0)
FIELD(hirl_knn_report, ks, 8)
FIELD(hirl_knn_report, k, 12)
FIELD(hirl_knn_report, top1, 48)
FIELD(hirl_knn_report, top5, 112)
FIELD(hirl_knn_report, best_top1, 176)
FIELD(hirl_knn_report, best_k, 184)
FIELD(hirl_knn_report, queries, 192)
FIELD(hirl_knn_report, bank, 200)
SIZE(hirl_knn_report, 208)

FIELD(hirl_method_step, struct_size, 0)
FIELD(hirl_method_step, step, 8)
FIELD(hirl_method_step, n, 16)
FIELD(hirl_method_step, views, 24)
FIELD(hirl_method_step, globals, 28)
FIELD(hirl_method_step, d, 32)
FIELD(hirl_method_step, z_dim, 40)
FIELD(hirl_method_step, teacher_dim, 48)
FIELD(hirl_method_step, student, 56)
FIELD(hirl_method_step, z0, 64)
FIELD(hirl_method_step, teacher, 72)
FIELD(hirl_method_step, image, 80)
FIELD(hirl_method_step, temperature, 88)
FIELD(hirl_method_step, teacher_temperature, 96)
FIELD(hirl_method_step, micro, 104)
FIELD(hirl_method_step, micros, 108)
SIZE(hirl_method_step, 112)

FIELD(hirl_method_calls, struct_size, 0)
FIELD(hirl_method_calls, name, 8)
FIELD(hirl_method_calls, loss, 16)
FIELD(hirl_method_calls, commit, 24)
FIELD(hirl_method_calls, save, 32)
FIELD(hirl_method_calls, load, 40)
FIELD(hirl_method_calls, user, 48)
FIELD(hirl_method_calls, coupled, 56)
SIZE(hirl_method_calls, 64)

FIELD(hirl_model_info, struct_size, 0)
FIELD(hirl_model_info, arch, 8)
FIELD(hirl_model_info, method, 16)
FIELD(hirl_model_info, network, 24)
FIELD(hirl_model_info, levels, 32)
FIELD(hirl_model_info, image_size, 36)
FIELD(hirl_model_info, backbone_dim, 40)
FIELD(hirl_model_info, z_dim, 48)
FIELD(hirl_model_info, parameters, 56)
SIZE(hirl_model_info, 64)

FIELD(hirl_option_info, struct_size, 0)
FIELD(hirl_option_info, name, 8)
FIELD(hirl_option_info, type, 16)
FIELD(hirl_option_info, default_value, 24)
FIELD(hirl_option_info, range, 32)
FIELD(hirl_option_info, unit, 40)
FIELD(hirl_option_info, help, 48)
FIELD(hirl_option_info, object, 56)
SIZE(hirl_option_info, 64)

FIELD(hirl_step_report, struct_size, 0)
FIELD(hirl_step_report, step, 8)
FIELD(hirl_step_report, steps, 16)
FIELD(hirl_step_report, epoch, 24)
FIELD(hirl_step_report, epochs, 32)
FIELD(hirl_step_report, images, 40)
FIELD(hirl_step_report, loss, 48)
FIELD(hirl_step_report, loss_image, 56)
FIELD(hirl_step_report, loss_spd, 64)
FIELD(hirl_step_report, rate, 72)
FIELD(hirl_step_report, grad_norm, 80)
FIELD(hirl_step_report, images_per_s, 88)
FIELD(hirl_step_report, data_wait, 96)
FIELD(hirl_step_report, seconds_left, 104)
FIELD(hirl_step_report, clustered, 112)
FIELD(hirl_step_report, saved, 116)
FIELD(hirl_step_report, cluster_seconds, 120)
FIELD(hirl_step_report, epoch_end, 128)
FIELD(hirl_step_report, health_std, 136)
FIELD(hirl_step_report, health_rank, 144)
FIELD(hirl_step_report, churn, 152)
FIELD(hirl_step_report, empty_clusters, 160)
FIELD(hirl_step_report, judgement, 168)
FIELD(hirl_step_report, weight_decay, 176)
FIELD(hirl_step_report, teacher_momentum, 184)
FIELD(hirl_step_report, teacher_temperature, 192)
FIELD(hirl_step_report, teacher_entropy, 200)
FIELD(hirl_step_report, usage_entropy, 208)
FIELD(hirl_step_report, smallest_leaf, 216)
FIELD(hirl_step_report, median_leaf, 224)
FIELD(hirl_step_report, largest_leaf, 232)
FIELD(hirl_step_report, memory_gb, 240)
SIZE(hirl_step_report, 248)
/* clang-format on */
#endif

int main(void)
{
    return 0;
}
