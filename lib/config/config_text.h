/* config_text.h - the settings of a run as text: in config.yaml, in a checkpoint, and on resume. */
#ifndef HR_CONFIG_TEXT_H
#define HR_CONFIG_TEXT_H

#include "base/option.h"
#include "base/tensors.h"
#include "config/run_config.h"

/* one key of a run with its resolved value */
typedef struct hr_setting {
    const hr_key *key;
    const char *value;
    bool free; /* may change when a run is resumed: threads, paths, how often to save */
} hr_setting;
typedef hirl_status hr_setting_fn(const hr_setting *setting, void *arg);
/* calls fn for every key of a run once; resume and overwrite are left out */
hirl_status hr_run_config_each(const hr_run_config *config, const hirl_options *options,
                               hr_setting_fn *fn, void *arg);

/* the settings as YAML; the caller frees *text with hr_free */
hirl_status hr_run_config_text(char **text, const hr_run_config *config,
                               const hirl_options *options);

/* hr_run_config_save writes the settings into a checkpoint as "config.<key>". hr_run_config_resume
 * makes the options of the resumed run: saved settings override the caller's, except those that may
 * change. INVALID names a key to which the caller gave a different value. Freed with
 * hr_options_done. */
hirl_status hr_run_config_save(hr_tensors *out, const hr_run_config *config,
                               const hirl_options *options);
hirl_status hr_run_config_resume(hirl_options *options, const hr_tensors *in,
                                 const hirl_options *given);

#endif
