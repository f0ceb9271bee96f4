/* config.h - options of a training run: the trainer's keys, and the values that replace `auto`. */
#ifndef HR_CONFIG_H
#define HR_CONFIG_H

#include "base/option.h"
#include "config/run_config.h"

extern const hr_keys hr_train_keys;
extern const hr_keys hr_label_keys;

/* The tables of all keys of a run, in the order of the fields of hr_run_config
 * (config/run_config.h); the last table is the data
 * set's. */
enum { HR_RUN_TABLES = 7 };
extern const hr_keys *const hr_run_tables[HR_RUN_TABLES];

/* Fills `options` with the caller's options and, below them, the settings of the method
 * (ssl/method.h) and of the hierarchy over it (config/hierarchy.h). In profile reference the
 * settings of the authors' program override the paper's. Freed with hr_options_done. */
hirl_status hr_run_options(hirl_options *options, const hirl_options *given);

/* the setting of the method or the hierarchy for a key; NULL: they leave it at its default */
const char *hr_run_setting(const hirl_options *given, const char *key);

/* Reads every table, replaces each auto by its value for n images, and refuses settings that cannot
 * work. With HR_IMAGES_UNKNOWN an auto that depends on n stays. */
#define HR_IMAGES_UNKNOWN INT64_MAX
hirl_status hr_run_config_read(hr_run_config *config, const hirl_options *options, int64_t n);

#endif
