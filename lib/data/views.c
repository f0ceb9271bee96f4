/* views.c - the views of a run: their number, size and distribution, from keys and the method.
 *
 * Each kind of view (first global, other global, local) starts with the method's recipe
 * (augment.c). A key other than auto replaces numbers of the views that it applies to. It has one
 * value for all of these views, one for each in the order of the views (global ones first), or
 * three for the three kinds. With three views, three values are one for each view.
 *
 * Global views have the encoder's size S. local_crops_size=auto is 96 S / 224, the ratio of SwAV,
 * DINO and iBOT, rounded to a multiple of the patch.
 */
#include "data/views.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum {
    GLOBAL_NUMBER,
    LOCAL_NUMBER,
    LOCAL_SIZE,
    FILTER,
    GLOBAL_SCALE,
    LOCAL_SCALE,
    JITTER,
    JITTER_P,
    GRAY_P,
    FLIP_P,
    BLUR_P,
    BLUR_SIGMA,
    SOLARIZE_P,
    KEYS,
};

#define KEY(name, type, standard, low, high, choices, autos, unit, help)                           \
    {                                                                                              \
#name, type, standard, low, high, choices, autos, unit, help,                              \
            offsetof(hr_view_config, name)                                                         \
    }
#define BY_VIEW "; one number, one per view, or three: first global, other global, local views"
#define PARTED "; one value, or one per view separated by ';'"

static const hr_key key[KEYS] = {
    [GLOBAL_NUMBER] = KEY(global_crops_number, HR_KEY_INT, "auto", 1, HR_VIEWS, NULL, true, "views",
                          "number of views of size image_size; auto: the method's"),
    [LOCAL_NUMBER] = KEY(local_crops_number, HR_KEY_LIST, "auto", 0, HR_VIEWS, NULL, true, "views",
                         "number of small views, one for each size; auto: the method's"),
    [LOCAL_SIZE] =
        KEY(local_crops_size, HR_KEY_LIST, "auto", 1, 1024, NULL, true, "pixels",
            "side of the small views, one or one for each number; auto: 96/224 of image_size"),
    [FILTER] = KEY(crop_filter, HR_KEY_CHOICE, "auto", 0, 0, "auto bilinear bicubic", false, "",
                   "filter that resizes crops; auto: the method's"),
    [GLOBAL_SCALE] =
        KEY(global_crops_scale, HR_KEY_TEXT, "auto", 1e-6, 1, NULL, false, "",
            "smallest and largest share of the image area in a global view, such as 0.25,1" PARTED),
    [LOCAL_SCALE] = KEY(
        local_crops_scale, HR_KEY_TEXT, "auto", 1e-6, 1, NULL, false, "",
        "smallest and largest share of the image area in a local view, such as 0.05,0.25" PARTED),
    [JITTER] =
        KEY(jitter, HR_KEY_TEXT, "auto", 0, 2, NULL, false, "",
            "strength of brightness, contrast, saturation and hue, such as 0.4,0.4,0.2,0.1" PARTED),
    [JITTER_P] = KEY(jitter_p, HR_KEY_TEXT, "auto", 0, 1, NULL, false, "",
                     "probability of the colour jitter" BY_VIEW),
    [GRAY_P] = KEY(gray_p, HR_KEY_TEXT, "auto", 0, 1, NULL, false, "",
                   "probability that a view becomes gray" BY_VIEW),
    [FLIP_P] = KEY(flip_p, HR_KEY_TEXT, "auto", 0, 1, NULL, false, "",
                   "probability that a view is flipped horizontally" BY_VIEW),
    [BLUR_P] = KEY(blur_p, HR_KEY_TEXT, "auto", 0, 1, NULL, false, "",
                   "probability that a view is blurred, such as 1,0.1,0.5" BY_VIEW),
    [BLUR_SIGMA] = KEY(blur_sigma, HR_KEY_TEXT, "auto", 1e-3, 100, NULL, false, "pixels",
                       "smallest and largest sigma of the blur, such as 0.1,2" PARTED),
    [SOLARIZE_P] = KEY(solarize_p, HR_KEY_TEXT, "auto", 0, 1, NULL, false, "",
                       "probability that bright pixels are inverted (solarize)" BY_VIEW),
};

const hr_keys hr_view_keys = { "view", key, KEYS };

/* A key whose text lists values of views. A value has `numbers` numbers, which are adjacent doubles
 * at `field` of hr_view. */
typedef struct setting {
    int key;
    size_t field;
    int numbers;
    bool kind[HR_VIEW_KINDS]; /* the kinds of views that the key applies to */
} setting;

static const setting settings[] = {
    { GLOBAL_SCALE, offsetof(hr_view, scale_low), 2, { true, true, false } },
    { LOCAL_SCALE, offsetof(hr_view, scale_low), 2, { false, false, true } },
    { JITTER, offsetof(hr_view, jitter), 4, { true, true, true } },
    { JITTER_P, offsetof(hr_view, jitter_p), 1, { true, true, true } },
    { GRAY_P, offsetof(hr_view, gray_p), 1, { true, true, true } },
    { FLIP_P, offsetof(hr_view, flip_p), 1, { true, true, true } },
    { BLUR_P, offsetof(hr_view, blur_p), 1, { true, true, true } },
    { BLUR_SIGMA, offsetof(hr_view, sigma_low), 2, { true, true, true } },
    { SOLARIZE_P, offsetof(hr_view, solarize_p), 1, { true, true, true } },
};
enum { SETTINGS = sizeof settings / sizeof *settings, MOST_NUMBERS = 4, HUE = 3 };

/* The views of a run while they are assembled. */
typedef struct layout {
    hr_view recipe[HR_VIEW_KINDS], view[HR_VIEWS];
    int kind[HR_VIEWS];
    int32_t count;
} layout;

static const double LARGEST_HUE = 0.5; /* half of the colour circle */

/* ---- values of views ---- */

/* Reads a number and moves `at` to the separator or the end behind it. */
static hirl_status read_number(double *x, const char **at, const hr_key *of)
{
    hr_key number = *of;
    char part[64];
    size_t length;

    number.type = HR_KEY_REAL;
    *at += strspn(*at, " ");
    length = strcspn(*at, ",; ");
    snprintf(part, sizeof part, "%.*s", (int)(length < sizeof part ? length : 0), *at);
    *at += length + strspn(*at + length, " ");
    return hr_key_parse(x, &number, part);
}

/* Reads values of s->numbers numbers each; *values is how many there are. */
static hirl_status read_values(double x[HR_VIEWS * MOST_NUMBERS], int *values, const setting *s,
                               const char *text)
{
    const char *name = key[s->key].name, *at = text;

    for (int n = 0; n < HR_VIEWS * s->numbers;) {
        bool last_of_value;

        HR_TRY(read_number(&x[n++], &at, &key[s->key]));
        last_of_value = n % s->numbers == 0;
        *values = n / s->numbers;
        if (!*at && last_of_value)
            return HIRL_OK;
        if (*at++ != (last_of_value && s->numbers > 1 ? ';' : ','))
            break;
    }
    if (s->numbers == 1)
        return hr_fail(HIRL_E_INVALID,
                       "%s: '%.60s' is not a list of up to %d numbers separated by commas", name,
                       text, HR_VIEWS);
    return hr_fail(
        HIRL_E_INVALID,
        "%s: '%.60s'; expected %d numbers, or as many for each view with ';' between views", name,
        text, s->numbers);
}

static hirl_status check_value(const setting *s, const double *x)
{
    const char *name = key[s->key].name;

    if (s->numbers == 2 && x[0] > x[1])
        return hr_fail(HIRL_E_INVALID,
                       "%s: %g to %g; the first number must not be above the second", name, x[0],
                       x[1]);
    if (s->key == JITTER && x[HUE] > LARGEST_HUE)
        return hr_fail(HIRL_E_INVALID, "%s: hue %g is outside the range 0 to %g", name, x[HUE],
                       LARGEST_HUE);
    return HIRL_OK;
}

static bool is_about_all(const setting *s)
{
    return s->kind[HR_VIEW_FIRST] && s->kind[HR_VIEW_LOCAL];
}

static hirl_status check_count(const setting *s, int values, int views, const char *text)
{
    if (values == 1 || values == views || (values == HR_VIEW_KINDS && is_about_all(s)))
        return HIRL_OK;
    return hr_fail(
        HIRL_E_INVALID, "%s: %d values in '%.60s'; expected 1%s, or one for each of %d views",
        key[s->key].name, values, text,
        is_about_all(s) ? ", or 3 for first global, other global and local views" : "", views);
}

static char *text_of(hr_view_config *config, const setting *s)
{
    return (char *)config + key[s->key].offset;
}

static double *numbers_of(hr_view *view, const setting *s)
{
    return (double *)(void *)((char *)view + s->field);
}

static hirl_status apply(layout *made, hr_view_config *config, const setting *s)
{
    const char *text = text_of(config, s);
    double x[HR_VIEWS * MOST_NUMBERS];
    int values = 0, views = 0, at = 0;

    if (!strcmp(text, "auto"))
        return HIRL_OK;
    for (int v = 0; v < made->count; v++)
        views += s->kind[made->kind[v]];
    HR_TRY(read_values(x, &values, s, text));
    HR_TRY(check_count(s, values, views, text));
    for (int i = 0; i < values; i++)
        HR_TRY(check_value(s, x + i * s->numbers));
    for (int v = 0; v < made->count; v++) {
        int value = values == 1 ? 0 : values == views ? at : made->kind[v];

        if (!s->kind[made->kind[v]])
            continue;
        memcpy(numbers_of(&made->view[v], s), x + value * s->numbers,
               (size_t)s->numbers * sizeof *x);
        at++;
    }
    return HIRL_OK;
}

/* Replaces auto by its numbers, as text that reads back to the same values. Other texts stay as
 * they were given, so that a resumed run compares equal texts. */
static void print(hr_view_config *config, layout *made, const setting *s)
{
    char *text = text_of(config, s);
    int used = 0;

    if (strcmp(text, "auto"))
        return;
    for (int i = 0; i < HR_VIEW_KINDS; i++) {
        int kind = made->count == HR_VIEW_KINDS && is_about_all(s) ? made->kind[i] : i;

        if (!s->kind[kind] || (used && s->numbers > 1))
            continue; /* such values are equal for all kinds of a recipe */
        for (int j = 0; j < s->numbers; j++) {
            char number[32];

            hr_real_text(number, sizeof number, numbers_of(&made->recipe[kind], s)[j]);
            used += snprintf(text + used, HR_KEY_TEXT_BYTES - (size_t)used, "%s%s", used ? "," : "",
                             number);
        }
    }
}

/* ---- number and size of the views ---- */

static int64_t size_of_local(const hr_view_defaults *defaults, int32_t image_size)
{
    int64_t multiple = defaults->multiple > 1 ? defaults->multiple : 1;
    int64_t steps = (int64_t)rint(image_size * 96 / 224.0 / (double)multiple);

    return multiple * (steps > 1 ? steps : 1);
}

static hirl_status check_globals(const hr_view_config *c, const hr_view_defaults *defaults)
{
    long long n = c->global_crops_number;
    int least = defaults->fewest, most = defaults->most ? defaults->most : HR_VIEWS;

    if (n >= least && n <= most)
        return HIRL_OK;
    if (least == most)
        return hr_fail(HIRL_E_INVALID, "%s: %lld global views; the method takes exactly %d",
                       key[GLOBAL_NUMBER].name, n, least);
    return hr_fail(HIRL_E_INVALID, "%s: %lld global views; the method takes %d to %d",
                   key[GLOBAL_NUMBER].name, n, least, most);
}

static hirl_status resolve_numbers(hr_view_config *c, const hr_view_defaults *defaults,
                                   int32_t image_size)
{
    int64_t locals = 0;

    if (c->global_crops_number == HR_AUTO)
        c->global_crops_number = defaults->globals;
    if (!c->local_crops_number.count)
        c->local_crops_number = (hr_key_list){ 1, { defaults->locals } };
    if (!c->local_crops_size.count)
        c->local_crops_size = (hr_key_list){ 1, { size_of_local(defaults, image_size) } };
    HR_TRY(check_globals(c, defaults));
    if (c->local_crops_size.count != 1 && c->local_crops_size.count != c->local_crops_number.count)
        return hr_fail(HIRL_E_INVALID,
                       "%s: %d sizes for %d numbers in %s; expected one size, or one per number",
                       key[LOCAL_SIZE].name, (int)c->local_crops_size.count,
                       (int)c->local_crops_number.count, key[LOCAL_NUMBER].name);
    for (int32_t i = 0; i < c->local_crops_number.count; i++)
        locals += c->local_crops_number.item[i];
    if (locals + c->global_crops_number > HR_VIEWS)
        return hr_fail(
            HIRL_E_INVALID, "%s: %lld local and %lld global views; a run has at most %d in total",
            key[LOCAL_NUMBER].name, (long long)locals, (long long)c->global_crops_number, HR_VIEWS);
    return HIRL_OK;
}

static void add(layout *made, int kind, int32_t size)
{
    made->kind[made->count] = kind;
    made->view[made->count] = made->recipe[kind];
    made->view[made->count++].size = size;
}

static void lay_out(layout *made, const hr_view_config *c, int32_t image_size)
{
    for (int64_t i = 0; i < c->global_crops_number; i++)
        add(made, i ? HR_VIEW_OTHER : HR_VIEW_FIRST, image_size);
    for (int32_t group = 0; group < c->local_crops_number.count; group++)
        for (int64_t i = 0; i < c->local_crops_number.item[group]; i++)
            add(made, HR_VIEW_LOCAL,
                (int32_t)c->local_crops_size.item[c->local_crops_size.count > 1 ? group : 0]);
}

hirl_status hr_views_resolve(hr_view view[HR_VIEWS], int32_t *globals, int32_t *count,
                             hr_view_config *config, const hr_view_defaults *defaults,
                             int32_t image_size, const float mean[3], const float std[3])
{
    hr_view_config c = *config;
    layout made = { .count = 0 };

    HR_TRY(resolve_numbers(&c, defaults, image_size));
    for (int k = 0; k < HR_VIEW_KINDS; k++) {
        hr_view_recipe(&made.recipe[k], defaults->recipe[k], image_size, mean, std);
        if (c.crop_filter)
            made.recipe[k].filter = (int32_t)c.crop_filter;
    }
    c.crop_filter = made.recipe[HR_VIEW_FIRST].filter;
    lay_out(&made, &c, image_size);
    for (int s = 0; s < SETTINGS; s++) {
        HR_TRY(apply(&made, &c, &settings[s]));
        print(&c, &made, &settings[s]);
    }
    *globals = (int32_t)c.global_crops_number;
    *count = made.count;
    memcpy(view, made.view, (size_t)made.count * sizeof *view);
    *config = c;
    return HIRL_OK;
}
