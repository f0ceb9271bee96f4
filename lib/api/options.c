/* options.c - functions of <hirl/options.h>: values of the keys of all objects. */
#include <stdio.h>
#include <string.h>

#include <hirl/options.h>

#include "api/presets.h"
#include "api/registry.h"
#include "api/resolved.h"
#include "api/settings.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/option.h"
#include "base/record.h"
#include "config/config.h"
#include "config/views.h"

#define PRESET "preset"

hirl_status hirl_options_create(hirl_options **options)
{
    hirl_options *new;

    if (!options)
        return hr_fail(HIRL_E_INVALID, "options_create: options is NULL");
    *options = NULL;
    new = hr_alloc(sizeof *new);
    if (!new)
        return HIRL_E_NOMEM;
    *options = new;
    return HIRL_OK;
}

void hirl_options_destroy(hirl_options *options)
{
    if (!options)
        return;
    hr_options_done(options);
    hr_free(options);
}

/* ---- changes: made in a copy, which replaces the original only if all of them succeed ---- */

static hirl_status put_pairs(hirl_options *options, const hr_setting_pair *pair)
{
    const hr_key *key;

    for (; pair->key; pair++) {
        HR_TRY(hr_registry_find(&key, pair->key));
        HR_TRY(hr_options_put(options, key, pair->value, HR_FROM_PRESET));
    }
    return HIRL_OK;
}

/* Records the preset's name, and sets its values, unless a stronger origin names another preset. */
static hirl_status put_preset(hirl_options *options, const hr_key *key, const char *name,
                              int32_t origin)
{
    const hr_preset *preset = NULL;

    if (*name)
        HR_TRY(hr_preset_find(&preset, name));
    HR_TRY(hr_options_put(options, key, preset ? preset->name : name, origin));
    if (hr_options_find(options, PRESET)->origin != origin)
        return HIRL_OK;
    hr_options_drop(options, HR_FROM_PRESET);
    if (!preset)
        return HIRL_OK;
    HR_TRY(put_pairs(options, preset->shared));
    return put_pairs(options, preset->own);
}

/* the key of this name; a value of `method` that names a preset is refused with a suggestion */
static hirl_status find_key(const hr_key **key, const char *name, const char *value)
{
    HR_TRY(hr_registry_find(key, name));
    return strcmp(name, "method") ? HIRL_OK : hr_preset_no_method(value);
}

static hirl_status put(hirl_options *options, const char *name, const char *value, int32_t origin)
{
    const hr_key *key;

    HR_TRY(find_key(&key, name, value));
    if (!strcmp(name, PRESET))
        return put_preset(options, key, value, origin);
    return hr_options_put(options, key, value, origin);
}

/* sets all of `changes`, or none of them */
static hirl_status put_all(hirl_options *options, const hirl_options *changes)
{
    hirl_options copy = { 0 };
    hirl_status status = hr_options_copy(&copy, options);

    for (int32_t i = 0; i < changes->count && status >= 0; i++)
        status = put(&copy, changes->item[i].key, changes->item[i].value, changes->item[i].origin);
    if (status >= 0) {
        hirl_options before = *options;

        *options = copy;
        copy = before;
    }
    hr_options_done(&copy);
    return status;
}

hirl_status hirl_options_set(hirl_options *options, const char *key, const char *value)
{
    hr_option item = { key, (char *)value, HR_FROM_CALLER };
    hirl_options change = { &item, 1, 1 };

    if (!options || !key || !value)
        return hr_fail(HIRL_E_INVALID, "options_set: options, key or value is NULL");
    return put_all(options, &change);
}

hirl_status hirl_options_set_int(hirl_options *options, const char *key, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)value);
    return hirl_options_set(options, key, text);
}

hirl_status hirl_options_set_real(hirl_options *options, const char *key, double value)
{
    char text[32];

    hr_real_text(text, sizeof text, value);
    return hirl_options_set(options, key, text);
}

hirl_status hirl_options_preset(hirl_options *options, const char *preset)
{
    return hirl_options_set(options, PRESET, preset);
}

/* One key of a file. It is checked here, so that the message has its line. */
static hirl_status read_setting(const char *name, const char *value, void *arg)
{
    hirl_options *found = arg;
    const hr_preset *preset;
    const hr_key *key;

    HR_TRY(find_key(&key, name, value));
    if (hr_options_find(found, name))
        return hr_fail(HIRL_E_FORMAT, "%s: given twice", name);
    if (!strcmp(name, PRESET) && *value)
        HR_TRY(hr_preset_find(&preset, value));
    return hr_options_put(found, key, value, HR_FROM_FILE);
}

hirl_status hirl_options_load(hirl_options *options, const char *path)
{
    hirl_options found = { 0 };
    hirl_status status;

    if (!options || !path)
        return hr_fail(HIRL_E_INVALID, "options_load: options or path is NULL");
    status = hr_settings_read(path, read_setting, &found);
    if (status >= 0)
        status = put_all(options, &found);
    hr_options_done(&found);
    return status;
}

/* ---- the values that a run would use ---- */

static hirl_status put_resolved(hirl_options *resolved, hr_run_config *config,
                                const hirl_options *options, int64_t images)
{
    hr_run_views views;

    HR_TRY(hr_options_copy(resolved, options));
    HR_TRY(hr_run_config_read(config, options, images ? images : HR_IMAGES_UNKNOWN));
    HR_TRY(hr_run_views_of(&views, config));
    return hr_options_add_resolved(resolved, config, options);
}

hirl_status hirl_options_resolve(hirl_options **resolved, const hirl_options *options,
                                 int64_t images)
{
    hr_run_config *config;
    hirl_options *new;
    hirl_status status;

    if (!resolved || !options || images < 0)
        return hr_fail(HIRL_E_INVALID,
                       "options_resolve: resolved or options is NULL, or images is %lld, below 0",
                       (long long)images);
    HR_TRY(hirl_options_create(&new));
    config = hr_alloc(sizeof *config);
    status = config ? put_resolved(new, config, options, images) : HIRL_E_NOMEM;
    hr_free(config);
    if (status >= 0)
        *resolved = new;
    else
        hirl_options_destroy(new);
    return status;
}

/* ---- values, origins, descriptions ---- */

const char *hirl_options_get(const hirl_options *options, const char *key)
{
    const hr_option *given = key ? hr_options_find(options, key) : NULL;
    const hr_key *known;

    if (given)
        return given->value;
    if (!key || hr_registry_find(&known, key) < 0)
        return NULL;
    return hr_run_setting(options, key) ? hr_run_setting(options, key) : known->standard;
}

int32_t hirl_options_origin(const hirl_options *options, const char *key)
{
    const hr_option *given = key ? hr_options_find(options, key) : NULL;
    const hr_key *known;

    if (given)
        return given->origin;
    return key && hr_registry_find(&known, key) >= 0 ? HR_FROM_STANDARD : -1;
}

int32_t hirl_options_count(void)
{
    return hr_registry_count();
}

hirl_status hirl_options_describe(hirl_option_info *info, int32_t index)
{
    static const char *const type[] = { "int", "real", "flag", "text", "choice", "list" };
    const hr_registry_entry *entry = hr_registry_at(index);
    hirl_option_info i;

    HR_TRY(HR_RECORD_CHECK(info, "options_describe: info", hirl_option_info));
    if (!entry)
        return hr_fail(HIRL_E_INVALID, "options_describe: index %d is outside 0 to %d", (int)index,
                       (int)hr_registry_count() - 1);
    i = (hirl_option_info){ .name = entry->key->name,
                            .type = type[entry->key->type],
                            .default_value = entry->key->standard,
                            .range = entry->range,
                            .unit = entry->key->unit,
                            .help = entry->key->help,
                            .object = entry->object };
    hr_record_fill(info, &i, sizeof i);
    return HIRL_OK;
}
