/* resolved.c - the values that a run uses, as options. */
#include "api/resolved.h"

#include "config/config_text.h"

static hirl_status keep(const hr_setting *setting, void *arg)
{
    hirl_options *resolved = arg;
    const hr_option *before = hr_options_find(resolved, setting->key->name);

    return hr_options_put(resolved, setting->key, setting->value,
                          before ? before->origin : HR_FROM_STANDARD);
}

hirl_status hr_options_add_resolved(hirl_options *resolved, const hr_run_config *config,
                                    const hirl_options *options)
{
    return hr_run_config_each(config, options, keep, resolved);
}
