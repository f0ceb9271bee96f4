/* hirl.ffi.h - the declarations of libhirl without macros and directives, for binders.
 *
 * cffi reads this text as it is; in C, include <stddef.h> and <stdint.h> before. It is made from
 * include/hirl by tests/abi/docs.py --write. The documentation is there, and in api.json.
 */

typedef int32_t hirl_status;

enum { HIRL_OK = 0, HIRL_DONE = 1, HIRL_E_INVALID = -1, HIRL_E_NOMEM = -2, HIRL_E_IO = -3,
    HIRL_E_NOSPC = -4, HIRL_E_DURABILITY = -5, HIRL_E_FORMAT = -6, HIRL_E_LIMIT = -7,
    HIRL_E_UNSUPPORTED = -8, HIRL_E_VERSION = -9, HIRL_E_STATE = -10, HIRL_E_CANCELED = -11,
    HIRL_E_NONFINITE = -12, HIRL_E_DEVICE = -13, HIRL_E_DEVICE_OOM = -14, HIRL_E_DEVICE_LOST = -15,
    HIRL_E_BACKEND_UNAVAILABLE = -16, HIRL_E_NONDETERMINISTIC = -17, HIRL_E_FORKED = -18,
    HIRL_E_CALLBACK = -19, HIRL_E_BUSY = -20, HIRL_E_INTERNAL = -21 };
enum { HIRL_LOG_ERROR = 1, HIRL_LOG_WARNING = 2, HIRL_LOG_INFO = 3, HIRL_LOG_DEBUG = 4 };
enum { HIRL_PIXELS_U8 = 0, HIRL_PIXELS_U16 = 1, HIRL_PIXELS_F32 = 2 };
enum { HIRL_IMAGE_STOP = -1, HIRL_IMAGE_GIVEN = 0, HIRL_IMAGE_AGAIN = 1, HIRL_IMAGE_NEVER = 2 };
enum { HIRL_COLOURS = 3 };
enum { HIRL_WEIGHT_RANK = 4 };
enum { HIRL_LEVELS = 8 };
enum { HIRL_KNN_KS = 8 };

typedef struct hirl_context hirl_context;
typedef struct hirl_stop hirl_stop;
typedef struct hirl_options hirl_options;
typedef struct hirl_dataset hirl_dataset;
typedef struct hirl_model hirl_model;
typedef struct hirl_trainer hirl_trainer;
typedef struct hirl_tree hirl_tree;

typedef struct hirl_option_info hirl_option_info;
typedef struct hirl_image hirl_image;
typedef struct hirl_dataset_info hirl_dataset_info;
typedef struct hirl_model_info hirl_model_info;
typedef struct hirl_weight_info hirl_weight_info;
typedef struct hirl_tree_score hirl_tree_score;
typedef struct hirl_knn_score hirl_knn_score;
typedef struct hirl_step_report hirl_step_report;
typedef struct hirl_trainer_score hirl_trainer_score;
typedef struct hirl_trainer_info hirl_trainer_info;
typedef struct hirl_method_step hirl_method_step;
typedef struct hirl_method_calls hirl_method_calls;

typedef void hirl_release_fn(void *user);
typedef void hirl_log_fn(int32_t level, const char *text, void *user);
typedef int32_t hirl_progress_fn(const char *phase, int64_t done, int64_t total, void *user);
typedef void *hirl_alloc_fn(size_t bytes, size_t alignment, void *user);
typedef void hirl_free_fn(void *block, void *user);
typedef int32_t hirl_write_fn(const void *data, size_t bytes, void *user);
typedef int32_t hirl_read_fn(void *data, size_t bytes, int64_t offset, void *user);
typedef int32_t hirl_image_fn(hirl_image *image, int64_t index, void *user);
typedef int32_t hirl_report_fn(const hirl_step_report *report, void *user);
typedef int32_t hirl_method_loss_fn(double *loss, float *grad, const hirl_method_step *step, void
    *user);
typedef int32_t hirl_method_commit_fn(int64_t step, void *user);
typedef int32_t hirl_method_save_fn(void *blob, size_t *size, void *user);
typedef int32_t hirl_method_load_fn(const void *blob, size_t size, void *user);

struct hirl_option_info {
    size_t struct_size;
    const char *name;
    const char *type;
    const char *default_value;
    const char *range;
    const char *unit;
    const char *help;
    const char *object;
};

struct hirl_image {
    size_t struct_size;
    const uint8_t *encoded;
    size_t encoded_bytes;
    const void *pixels;
    int64_t height;
    int64_t width;
    int32_t channels;
    int32_t type;
    int64_t row_bytes;
    int64_t pixel_bytes;
    int64_t channel_bytes;
    hirl_release_fn *release;
    void *token;
    const char *text;
    int32_t value;
};

struct hirl_dataset_info {
    size_t struct_size;
    const char *format;
    const char *split;
    const char *summary;
    int64_t count;
    int64_t min_width;
    int64_t max_width;
    int64_t min_height;
    int64_t max_height;
    int32_t label_levels;
    int64_t skipped;
    const char *splits;
};

struct hirl_model_info {
    size_t struct_size;
    const char *arch;
    const char *method;
    const char *network;
    int32_t levels;
    int32_t image_size;
    int64_t backbone_dim;
    int64_t z_dim;
    int64_t parameters;
    int32_t exif;
    int32_t resize;
    double mean[3];
    double std[3];
    const char *filter;
};

struct hirl_weight_info {
    size_t struct_size;
    const char *name;
    int32_t rank;
    int32_t running;
    int64_t dim[4];
    int64_t count;
};

struct hirl_tree_score {
    size_t struct_size;
    int32_t levels;
    double purity[8];
    double nmi[8];
    double dendrogram_purity;
};

struct hirl_knn_score {
    size_t struct_size;
    int32_t ks;
    int32_t k[8];
    double top1[8];
    double top5[8];
    double best_top1;
    int32_t best_k;
    int64_t queries;
    int64_t bank;
};

struct hirl_step_report {
    size_t struct_size;
    int64_t step;
    int64_t steps;
    int64_t epoch;
    int64_t epochs;
    int64_t images;
    double loss;
    double loss_image;
    double loss_spd;
    double rate;
    double grad_norm;
    double images_per_s;
    double data_wait;
    double seconds_left;
    int32_t clustered;
    int32_t saved;
    double cluster_seconds;
    int32_t epoch_end;
    double health_std;
    double health_rank;
    double churn;
    int64_t empty_clusters;
    double weight_decay;
    double teacher_momentum;
    double teacher_temperature;
    double teacher_entropy;
    double usage_entropy;
    int64_t smallest_leaf;
    int64_t median_leaf;
    int64_t largest_leaf;
    double memory_gb;
    double top1;
};

struct hirl_trainer_score {
    size_t struct_size;
    int64_t images;
    double loss;
    double loss_image;
    double loss_spd;
    double top1;
};

struct hirl_trainer_info {
    size_t struct_size;
    int64_t step;
    int64_t steps;
    int64_t epoch_steps;
    int64_t epoch;
    int64_t epochs;
    int64_t batch_size;
    int32_t finished;
    int32_t levels;
    const char *task;
    const char *method;
    const char *out;
};

struct hirl_method_step {
    size_t struct_size;
    int64_t step;
    int64_t n;
    int32_t views;
    int32_t globals;
    int64_t d;
    int64_t z_dim;
    int64_t teacher_dim;
    const float *student;
    const float *z0;
    const float *teacher;
    const int64_t *image;
    double temperature;
    double teacher_temperature;
    int32_t micro;
    int32_t micros;
};

struct hirl_method_calls {
    size_t struct_size;
    const char *name;
    hirl_method_loss_fn *loss;
    hirl_method_commit_fn *commit;
    hirl_method_save_fn *save;
    hirl_method_load_fn *load;
    void *user;
    int32_t coupled;
    hirl_release_fn *release;
};

const char *hirl_status_name(hirl_status status);
const char *hirl_status_text(hirl_status status);
const char *hirl_error_message(void);
int32_t hirl_error_callback_value(void);
void hirl_free(void *buffer);
const char *hirl_version(void);
int32_t hirl_version_number(void);
int32_t hirl_abi_version(void);
const char *hirl_build_info(void);
hirl_status hirl_options_create(hirl_options **options);
void hirl_options_destroy(hirl_options *options);
hirl_status hirl_options_set(hirl_options *options, const char *key, const char *value);
hirl_status hirl_options_set_int(hirl_options *options, const char *key, int64_t value);
hirl_status hirl_options_set_real(hirl_options *options, const char *key, double value);
hirl_status hirl_options_preset(hirl_options *options, const char *preset);
hirl_status hirl_options_load(hirl_options *options, const char *path);
hirl_status hirl_options_resolve(hirl_options **resolved, const hirl_options *options, int64_t
    images);
const char *hirl_options_get(const hirl_options *options, const char *key);
int32_t hirl_options_origin(const hirl_options *options, const char *key);
int32_t hirl_options_count(void);
hirl_status hirl_options_describe(hirl_option_info *info, int32_t index);
int32_t hirl_preset_count(void);
const char *hirl_preset_name(int32_t index);
hirl_status hirl_context_create(hirl_context **context, const hirl_options *options);
void hirl_context_destroy(hirl_context *context);
void hirl_context_set_log(hirl_context *context, int32_t level, hirl_log_fn *log, void *user,
    hirl_release_fn *release);
void hirl_context_set_progress(hirl_context *context, hirl_progress_fn *progress, void *user,
    hirl_release_fn *release);
void hirl_cancel(hirl_context *context);
hirl_status hirl_stop_create(hirl_stop **stop);
void hirl_stop_destroy(hirl_stop *stop);
void hirl_stop_use(const hirl_stop *stop);
void hirl_stop_request(hirl_stop *stop);
void hirl_stop_clear(hirl_stop *stop);
int32_t hirl_stop_requested(const hirl_stop *stop);
const char *hirl_context_backend(const hirl_context *context);
int32_t hirl_context_threads(const hirl_context *context);
hirl_status hirl_set_allocator(hirl_alloc_fn *alloc, hirl_free_fn *release, void *user);
hirl_status hirl_dataset_open(hirl_dataset **dataset, hirl_context *context, const char *path, const
    hirl_options *options);
hirl_status hirl_dataset_from_memory(hirl_dataset **dataset, hirl_context *context, const uint8_t
    *pixels, int64_t count, int64_t height, int64_t width, int32_t channels, const int32_t *label,
    int32_t copy, const hirl_options *options);
hirl_status hirl_dataset_from_callback(hirl_dataset **dataset, hirl_context *context, hirl_image_fn
    *read, void *user, hirl_release_fn *release, int64_t count, const int32_t *label, const
    hirl_options *options);
hirl_status hirl_dataset_from_images(hirl_dataset **dataset, hirl_context *context, const hirl_image
    *image, int64_t count, const int32_t *label, const hirl_options *options);
hirl_status hirl_dataset_set_names(hirl_dataset *dataset, const char *const *name, int64_t n);
hirl_status hirl_dataset_set_classes(hirl_dataset *dataset, int32_t level, int32_t n, const char
    *const *name, const int32_t *parent);
void hirl_dataset_destroy(hirl_dataset *dataset);
hirl_status hirl_dataset_describe(hirl_dataset_info *info, const hirl_dataset *dataset);
int64_t hirl_dataset_count(const hirl_dataset *dataset);
const char *hirl_dataset_name(const hirl_dataset *dataset, int64_t index);
int32_t hirl_dataset_label(const hirl_dataset *dataset, int64_t index, int32_t level);
int32_t hirl_dataset_classes(const hirl_dataset *dataset, int32_t level);
const char *hirl_dataset_class_name(const hirl_dataset *dataset, int32_t level, int32_t
    class_index);
hirl_status hirl_dataset_read(uint8_t **pixels, int64_t *height, int64_t *width, const hirl_dataset
    *dataset, int64_t index);
hirl_status hirl_npy_read(float **data, int64_t *n, int64_t *d, const char *path);
hirl_status hirl_features_read(float **data, int64_t *n, int64_t *d, const char *path, const
    hirl_options *options);
hirl_status hirl_npy_write(const char *path, const void *data, const char *dtype, int32_t rank,
    const int64_t *dim);
hirl_status hirl_model_create(hirl_model **model, hirl_context *context, const hirl_options
    *options);
hirl_status hirl_model_load(hirl_model **model, hirl_context *context, const char *path, const
    hirl_options *options);
hirl_status hirl_model_from_memory(hirl_model **model, hirl_context *context, const void *data,
    size_t bytes, const hirl_options *options);
hirl_status hirl_model_read(hirl_model **model, hirl_context *context, hirl_read_fn *read, void
    *user, int64_t bytes, const hirl_options *options);
hirl_status hirl_model_save(const hirl_model *model, const char *path);
hirl_status hirl_model_to_memory(void **data, size_t *bytes, const hirl_model *model);
hirl_status hirl_model_write(const hirl_model *model, hirl_write_fn *write, void *user);
void hirl_model_destroy(hirl_model *model);
hirl_status hirl_model_describe(hirl_model_info *info, const hirl_model *model);
hirl_status hirl_model_plan(hirl_model_info *info, const hirl_options *options);
int64_t hirl_model_dim(const hirl_model *model, const char *layer);
hirl_status hirl_model_embed(float *features, const hirl_model *model, const char *layer, const
    hirl_image *image, int64_t n);
hirl_status hirl_model_embed_input(float *features, const hirl_model *model, const char *layer,
    const float *input, int64_t n);
hirl_status hirl_model_embed_dataset(float *features, uint8_t *readable, const hirl_model *model,
    const char *layer, hirl_dataset *dataset, const hirl_options *options);
int32_t hirl_model_weight_count(const hirl_model *model);
hirl_status hirl_model_describe_weight(hirl_weight_info *info, const hirl_model *model, int32_t
    index);
hirl_status hirl_model_weight(float *data, const hirl_model *model, const char *name, int64_t n);
hirl_status hirl_model_set_weight(hirl_model *model, const char *name, const float *data, int64_t
    n);
hirl_status hirl_cluster(hirl_tree **tree, hirl_context *context, const float *features, int64_t n,
    int64_t d, const float *weight, const hirl_tree *previous, const hirl_options *options);
hirl_status hirl_tree_create(hirl_tree **tree, hirl_context *context, int32_t levels, int64_t d,
    const int64_t *m, const float *const *prototypes, const int32_t *const *parents, const int32_t
    *leaf, int64_t n);
void hirl_tree_destroy(hirl_tree *tree);
hirl_status hirl_tree_load(hirl_tree **tree, hirl_context *context, const char *path);
hirl_status hirl_tree_from_memory(hirl_tree **tree, hirl_context *context, const void *data, size_t
    bytes);
hirl_status hirl_tree_read(hirl_tree **tree, hirl_context *context, hirl_read_fn *read, void *user,
    int64_t bytes);
hirl_status hirl_tree_set_images(hirl_tree *tree, const hirl_dataset *images);
hirl_status hirl_tree_set_names(hirl_tree *tree, const char *const *name, int64_t n);
const char *hirl_tree_name(const hirl_tree *tree, int64_t row);
hirl_status hirl_tree_check_images(const hirl_tree *tree, const hirl_dataset *images);
hirl_status hirl_tree_save(const hirl_tree *tree, const char *path);
hirl_status hirl_tree_to_memory(void **data, size_t *bytes, const hirl_tree *tree);
hirl_status hirl_tree_write(const hirl_tree *tree, hirl_write_fn *write, void *user);
int32_t hirl_tree_levels(const hirl_tree *tree);
int64_t hirl_tree_dim(const hirl_tree *tree);
int64_t hirl_tree_rows(const hirl_tree *tree);
int64_t hirl_tree_count(const hirl_tree *tree, int32_t level);
const float *hirl_tree_prototypes(const hirl_tree *tree, int32_t level);
const float *hirl_tree_centroids(const hirl_tree *tree, int32_t level);
int32_t hirl_tree_normalize(const hirl_tree *tree);
const int32_t *hirl_tree_parents(const hirl_tree *tree, int32_t level);
const int64_t *hirl_tree_sizes(const hirl_tree *tree, int32_t level);
hirl_status hirl_tree_node_rows(int64_t *row, const hirl_tree *tree, int32_t level, int32_t node);
const int32_t *hirl_tree_leaves(const hirl_tree *tree);
hirl_status hirl_tree_assign(int32_t *path, float *margin, const hirl_tree *tree, const float
    *features, int64_t n);
hirl_status hirl_tree_evaluate(hirl_tree_score *score, const hirl_tree *tree, const int32_t *label,
    int64_t n);
hirl_status hirl_tree_export(const hirl_tree *tree, const char *path, const char *format, const char
    *const *name);
hirl_status hirl_spd_loss(double *loss, float *grad, hirl_context *context, const hirl_tree *tree,
    const float *z, int64_t n, const int32_t *leaf, const int32_t *negative, int64_t k, uint64_t
    seed, const hirl_options *options);
hirl_status hirl_knn_evaluate(hirl_knn_score *score, hirl_context *context, const float *bank, const
    int32_t *bank_label, int64_t bank_count, const float *query, const int32_t *query_label, int64_t
    query_count, int64_t d, const hirl_options *options);
hirl_status hirl_trainer_create(hirl_trainer **trainer, hirl_context *context, const hirl_model
    *start, hirl_dataset *dataset, const hirl_options *options);
void hirl_trainer_destroy(hirl_trainer *trainer);
hirl_status hirl_train_step(hirl_step_report *report, hirl_trainer *trainer);
hirl_status hirl_train_epoch(hirl_step_report *report, hirl_trainer *trainer);
hirl_status hirl_train_run(hirl_step_report *report, hirl_trainer *trainer);
hirl_status hirl_trainer_set_report(hirl_trainer *trainer, hirl_report_fn *report, void *user,
    hirl_release_fn *release);
int32_t hirl_report_print(const hirl_step_report *report, void *user);
hirl_status hirl_trainer_describe(hirl_trainer_info *info, const hirl_trainer *trainer);
hirl_status hirl_trainer_options(hirl_options **options, const hirl_trainer *trainer);
const char *hirl_trainer_judgement(const hirl_trainer *trainer);
hirl_status hirl_trainer_save(hirl_trainer *trainer, const char *path);
hirl_status hirl_trainer_to_memory(void **data, size_t *bytes, hirl_trainer *trainer);
hirl_status hirl_trainer_write(hirl_trainer *trainer, hirl_write_fn *write, void *user);
hirl_status hirl_trainer_load(hirl_trainer *trainer, const char *path);
hirl_status hirl_trainer_from_memory(hirl_trainer *trainer, const void *data, size_t bytes);
hirl_status hirl_trainer_read(hirl_trainer *trainer, hirl_read_fn *read, void *user, int64_t bytes);
hirl_status hirl_trainer_model(hirl_model **model, const hirl_trainer *trainer, const char
    *network);
hirl_status hirl_trainer_tree(hirl_tree **tree, const hirl_trainer *trainer);
hirl_status hirl_trainer_set_tree(hirl_trainer *trainer, const hirl_tree *tree, const int32_t
    *leaf);
hirl_status hirl_trainer_evaluate(hirl_trainer_score *score, hirl_trainer *trainer, hirl_dataset
    *held_out);
hirl_status hirl_trainer_set_method(hirl_trainer *trainer, const hirl_method_calls *calls);
