/* presets.h - named experiments: values for keys. */
#ifndef HR_PRESETS_H
#define HR_PRESETS_H

#include "base/option.h"
#include "types.h"

typedef struct hr_preset {
    const char *name;
    const hr_setting_pair *shared, *own; /* each ends with key NULL; no key in both */
} hr_preset;

/* INVALID: unknown, with the names there are */
hirl_status hr_preset_find(const hr_preset **preset, const char *name);
/* INVALID when text, given as method=, is a preset's name: with what was meant */
hirl_status hr_preset_no_method(const char *text);
const hr_preset *hr_preset_at(int32_t index); /* NULL outside */

#endif
