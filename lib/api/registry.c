/* registry.c - every key of every object, each name once.
 *
 * A name that is in several tables (seed, profile) has the same type, choices and default in all.
 */
#include "api/registry.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "config/config.h"
#include "data/dataset.h"
#include "data/keys.h"
#include "data/npy_read.h"
#include "data/views.h"
#include "eval/knn.h"
#include "hier/cluster_config.h"
#include "hier/paths.h"
#include "nn/net.h"

enum { ROOM = 256 }; /* most keys of all tables together */

static const hr_key preset_key[] = {
    { "preset", HR_KEY_TEXT, "", 0, 0, NULL, false, "",
      "named experiment; its values apply to keys that are set nowhere else", HR_NO_FIELD },
};
static const hr_keys preset_keys = { "train", preset_key, 1 };

static const hr_keys *const tables[] = { &preset_keys,   &hr_context_keys, &hr_data_keys,
                                         &hr_model_keys, &hr_network_keys, &hr_train_keys,
                                         &hr_label_keys, &hr_cluster_keys, &hr_spd_keys,
                                         &hr_view_keys,  &hr_knn_keys,     &hr_feature_keys };
enum { TABLES = sizeof tables / sizeof *tables };

static hr_registry_entry entries[ROOM];
static int32_t count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

const hr_keys *const *hr_registry_tables(int32_t *n)
{
    *n = TABLES;
    return tables;
}

static const hr_registry_entry *find(const char *name)
{
    for (int32_t i = 0; i < count; i++)
        if (!strcmp(entries[i].key->name, name))
            return &entries[i];
    return NULL;
}

static void describe_numbers(char *text, size_t bytes, const hr_key *key)
{
    const char *list = key->type == HR_KEY_LIST ? "numbers " : "";
    const char *autos = key->autos ? "auto, " : "";
    char low[32], high[32];

    hr_real_text(low, sizeof low, key->low);
    hr_real_text(high, sizeof high, key->high);
    if (key->low == key->high)
        snprintf(text, bytes, "%s%sany", autos, list);
    else
        snprintf(text, bytes, "%s%s%s to %s", autos, list, low, high);
}

static void describe_range(char *text, size_t bytes, const hr_key *key)
{
    switch (key->type) {
    case HR_KEY_INT:
    case HR_KEY_REAL:
    case HR_KEY_LIST:
        describe_numbers(text, bytes, key);
        break;
    case HR_KEY_CHOICE:
        snprintf(text, bytes, "%s", key->choices);
        break;
    case HR_KEY_FLAG:
        snprintf(text, bytes, "0 1");
        break;
    case HR_KEY_TEXT:
        break;
    }
}

static void add_table(const hr_keys *table)
{
    for (int32_t i = 0; i < table->count && count < ROOM; i++) {
        const hr_key *key = &table->key[i];

        if (find(key->name))
            continue;
        entries[count] = (hr_registry_entry){ .key = key, .object = table->object };
        describe_range(entries[count].range, sizeof entries->range, key);
        count++;
    }
}

static void build(void)
{
    for (int t = 0; t < TABLES; t++)
        add_table(tables[t]);
}

int32_t hr_registry_count(void)
{
    pthread_once(&once, build);
    return count;
}

const hr_registry_entry *hr_registry_at(int32_t index)
{
    return index >= 0 && index < hr_registry_count() ? &entries[index] : NULL;
}

/* the key whose name differs in the fewest letters, at most a third of them or two; NULL: none */
static const char *nearest(const char *name)
{
    int allowed = (int)strlen(name) / 3, distance = allowed < 2 ? 3 : allowed + 1;
    const char *found = NULL;

    for (int32_t i = 0; i < count; i++)
        if (hr_nearer(&distance, name, entries[i].key->name))
            found = entries[i].key->name;
    return found;
}

hirl_status hr_registry_find(const hr_key **key, const char *name)
{
    const hr_registry_entry *entry;
    const char *near;

    pthread_once(&once, build);
    entry = find(name);
    if (entry) {
        *key = entry->key;
        return HIRL_OK;
    }
    near = nearest(name);
    if (near)
        return hr_fail(HIRL_E_INVALID, "unknown key '%.60s'; did you mean %s?", name, near);
    return hr_fail(HIRL_E_INVALID, "unknown key '%.60s'", name);
}
