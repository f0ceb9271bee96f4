/* presets.h - named experiments: values of keys. */
#ifndef HR_PRESETS_H
#define HR_PRESETS_H

#include "base/option.h"
#include "types.h"

typedef struct hr_preset {
    const char *name;
    const hr_setting_pair *shared, *own; /* each list ends with key NULL; no key is in both */
} hr_preset;

/* INVALID: unknown, with the most similar name or a list of all */
hirl_status hr_preset_find(const hr_preset **preset, const char *name);
/* INVALID if text, a value of method=, is the name of a preset; the message has a correction */
hirl_status hr_preset_no_method(const char *text);
const hr_preset *hr_preset_at(int32_t index); /* NULL: index outside */

#endif
