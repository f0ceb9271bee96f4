/* config_text.c - the settings of a run as text: in config.yaml, in a checkpoint, and on resume. */
#include "config/config_text.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/key_text.h"
#include "config/config.h"

static bool named_before(int table, const char *name)
{
    for (int t = 0; t < table; t++)
        for (int i = 0; i < hr_run_tables[t]->count; i++)
            if (!strcmp(hr_run_tables[t]->key[i].name, name))
                return true;
    return false;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names))
            return true;
    return false;
}

/* these keys belong to one call and are not saved */
static const char *const about_the_call[] = { "resume", "overwrite", NULL };
/* these keys may change when a run is resumed */
static const char *const free_keys[] = { "out",          "data",      "split", "loader_threads",
                                         "save_every",   "log_every", "keep",  "max_bad",
                                         "on_bad_image", NULL };

/* these keys count on resume even when a preset gives them */
static const char *const of_method[] = { "method", "hirl", NULL };

hirl_status hr_run_config_each(const hr_run_config *config, const hirl_options *options,
                               hr_setting_fn *fn, void *arg)
{
    const void *const fields[HR_RUN_TABLES] = {
        &config->train, &config->model, &config->view, &config->cluster,
        &config->spd,   &config->label, NULL
    };

    for (int t = 0; t < HR_RUN_TABLES; t++)
        for (int i = 0; i < hr_run_tables[t]->count; i++) {
            const hr_key *key = &hr_run_tables[t]->key[i];
            const hr_option *given = hr_options_find(options, key->name);
            char value[HR_KEY_TEXT_BYTES];
            hr_setting setting = { key, value, is_one_of(key->name, free_keys) };

            if (named_before(t, key->name) || is_one_of(key->name, about_the_call))
                continue;
            if (hr_run_tables[t] == &hr_label_keys && config->label.task == HR_TASK_PRETRAIN)
                continue; /* pretraining has no labels */
            if (fields[t])
                hr_key_print(value, key, (const char *)fields[t] + key->offset);
            else
                snprintf(value, sizeof value, "%s", given ? given->value : key->standard);
            HR_TRY(fn(&setting, arg));
        }
    return HIRL_OK;
}

typedef struct text_buffer {
    char *text;
    size_t used, room;
} text_buffer;

/* Numbers and lists of them are written without quotation marks; `auto` is a text. */
static bool is_number(const hr_setting *setting)
{
    hr_key_type type = setting->key->type;

    return type != HR_KEY_TEXT && type != HR_KEY_CHOICE && strcmp(setting->value, "auto") != 0;
}

static hirl_status append_line(const hr_setting *setting, void *arg)
{
    text_buffer *b = arg;
    const char *value = setting->value;
    size_t need = b->used + strlen(setting->key->name) + 2 * strlen(value) + 8;

    if (need > b->room) {
        char *grown = hr_grow(b->text, b->used, 2 * need);

        if (!grown)
            return HIRL_E_NOMEM;
        b->text = grown;
        b->room = 2 * need;
    }
    b->used += (size_t)snprintf(b->text + b->used, b->room - b->used, "%s: ", setting->key->name);
    if (is_number(setting)) {
        b->used += (size_t)snprintf(b->text + b->used, b->room - b->used,
                                    setting->key->type == HR_KEY_LIST ? "[%s]\n" : "%s\n", value);
        return HIRL_OK;
    }
    b->text[b->used++] = '"';
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            b->text[b->used++] = '\\';
        b->text[b->used++] = *value;
    }
    b->text[b->used++] = '"';
    b->text[b->used++] = '\n';
    b->text[b->used] = 0;
    return HIRL_OK;
}

hirl_status hr_run_config_text(char **text, const hr_run_config *config,
                               const hirl_options *options)
{
    text_buffer b = { 0 };
    hirl_status status = hr_run_config_each(config, options, append_line, &b);

    if (status < 0) {
        hr_free(b.text);
        return status;
    }
    *text = b.text;
    return HIRL_OK;
}

/* ---- in a checkpoint ---- */

static hirl_status save_setting(const hr_setting *setting, void *arg)
{
    char name[128];

    snprintf(name, sizeof name, "config.%s", setting->key->name);
    return hr_tensors_set_text(arg, name, setting->value);
}

hirl_status hr_run_config_save(hr_tensors *out, const hr_run_config *config,
                               const hirl_options *options)
{
    return hr_run_config_each(config, options, save_setting, out);
}

/* Whether a given value contradicts the saved one. Spelling does not matter, and values of a preset
 * count only for the keys `of_method`. */
static bool contradicts(const hr_option *given, const hr_key *key, const char *kept)
{
    bool counts = given && (given->origin >= HR_FROM_FILE || is_one_of(key->name, of_method));

    return counts && strcmp(given->value, "auto") && !hr_key_same(key, given->value, kept);
}

static hirl_status resume_key(hirl_options *options, const hr_key *key, const char *kept,
                              bool may_differ, const hirl_options *given)
{
    const hr_option *now = hr_options_find(given, key->name);

    if (now && (may_differ || !kept))
        return hr_options_put(options, key, now->value, now->origin);
    if (!kept)
        return HIRL_OK;
    if (contradicts(now, key, kept))
        return hr_fail(HIRL_E_INVALID, "%s=%s, but the run to be resumed has %s", key->name,
                       now->value, kept);
    return hr_options_put(options, key, kept, HR_FROM_CALLER);
}

/* the saved value of a key; a checkpoint of pretraining names no task */
static const char *kept_value(const hr_tensors *in, const hr_key *key)
{
    char name[128];
    const char *kept;

    snprintf(name, sizeof name, "config.%s", key->name);
    kept = hr_tensors_text(in, name);
    return kept || strcmp(key->name, "task") ? kept : key->standard;
}

hirl_status hr_run_config_resume(hirl_options *options, const hr_tensors *in,
                                 const hirl_options *given)
{
    *options = (hirl_options){ 0 };
    for (int t = 0; t < HR_RUN_TABLES; t++)
        for (int i = 0; i < hr_run_tables[t]->count; i++) {
            const hr_key *key = &hr_run_tables[t]->key[i];
            hirl_status status;

            if (named_before(t, key->name))
                continue;
            status = resume_key(options, key, kept_value(in, key), is_one_of(key->name, free_keys),
                                given);
            if (status < 0) {
                hr_options_done(options);
                return status;
            }
        }
    return HIRL_OK;
}
