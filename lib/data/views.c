/* views.c - the views of a run: how many, how large and how drawn, by key over what the method does.
 *
 * Each kind of view (first global, other global, local) starts as the method's recipe (augment.c);
 * a key that is not auto replaces its numbers. Sizes of views: global ones have the encoder's size S;
 * local_crops_size=auto is round(96 S / 224), as 96 is to 224 (spec.md 2.2), to a multiple of the
 * patch.
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
#define BY_KIND "; one number, or three: first global, other global, local views"

static const hr_key key[KEYS] = {
    [GLOBAL_NUMBER] = KEY(global_crops_number, HR_KEY_INT, "auto", 1, HR_VIEWS, NULL, true, "views",
                          "views of the encoder's size; auto: the method's"),
    [LOCAL_NUMBER] = KEY(local_crops_number, HR_KEY_LIST, "auto", 0, HR_VIEWS, NULL, true, "views",
                         "small views, one number for each size; auto: the method's"),
    [LOCAL_SIZE] = KEY(local_crops_size, HR_KEY_LIST, "auto", 1, 1024, NULL, true, "pixels",
                       "sides of the small views; auto: 96/224 of image_size"),
    [FILTER] = KEY(crop_filter, HR_KEY_CHOICE, "auto", 0, 0, "auto bilinear bicubic", false, "",
                   "how crops are resized; auto: the method's"),
    [GLOBAL_SCALE] = KEY(global_crops_scale, HR_KEY_TEXT, "auto", 1e-6, 1, NULL, false, "",
                         "share of the image in a global view, as 0.25,1; auto: the method's"),
    [LOCAL_SCALE] = KEY(local_crops_scale, HR_KEY_TEXT, "auto", 1e-6, 1, NULL, false, "",
                        "share of the image in a local view, as 0.05,0.25; auto: the method's"),
    [JITTER] = KEY(jitter, HR_KEY_TEXT, "auto", 0, 2, NULL, false, "",
                   "strength of brightness, contrast, saturation, hue, as 0.4,0.4,0.2,0.1"),
    [JITTER_P] = KEY(jitter_p, HR_KEY_TEXT, "auto", 0, 1, NULL, false, "",
                     "probability of the colour jitter" BY_KIND),
    [GRAY_P] = KEY(gray_p, HR_KEY_TEXT, "auto", 0, 1, NULL, false, "",
                   "probability of a gray view" BY_KIND),
    [FLIP_P] = KEY(flip_p, HR_KEY_TEXT, "auto", 0, 1, NULL, false, "",
                   "probability of a mirrored view" BY_KIND),
    [BLUR_P] = KEY(blur_p, HR_KEY_TEXT, "auto", 0, 1, NULL, false, "",
                   "probability of a blurred view, as 1,0.1,0.5" BY_KIND),
    [BLUR_SIGMA] = KEY(blur_sigma, HR_KEY_TEXT, "auto", 1e-3, 100, NULL, false, "pixels",
                       "sigma of the blur, from, to, as 0.1,2"),
    [SOLARIZE_P] = KEY(solarize_p, HR_KEY_TEXT, "auto", 0, 1, NULL, false, "",
                       "probability of inverted bright pixels" BY_KIND),
};

const hr_keys hr_view_keys = { "view", key, KEYS };

/* a key whose text is numbers of a view: adjacent doubles at `field` of hr_view */
typedef struct setting {
    int key;
    size_t field;
    int numbers;
    bool kind[HR_VIEW_KINDS]; /* which it is about */
    bool by_kind;             /* one for each kind can be given */
} setting;

static const setting settings[] = {
    { GLOBAL_SCALE, offsetof(hr_view, scale_low), 2, { true, true, false }, false },
    { LOCAL_SCALE, offsetof(hr_view, scale_low), 2, { false, false, true }, false },
    { JITTER, offsetof(hr_view, jitter), 4, { true, true, true }, false },
    { JITTER_P, offsetof(hr_view, jitter_p), 1, { true, true, true }, true },
    { GRAY_P, offsetof(hr_view, gray_p), 1, { true, true, true }, true },
    { FLIP_P, offsetof(hr_view, flip_p), 1, { true, true, true }, true },
    { BLUR_P, offsetof(hr_view, blur_p), 1, { true, true, true }, true },
    { BLUR_SIGMA, offsetof(hr_view, sigma_low), 2, { true, true, true }, false },
    { SOLARIZE_P, offsetof(hr_view, solarize_p), 1, { true, true, true }, true },
};
enum { SETTINGS = sizeof settings / sizeof *settings, MOST_NUMBERS = 4, HUE = 3 };

static const double LARGEST_HUE = 0.5; /* half a turn */

/* ---- numbers with commas ---- */

static hirl_status read_numbers(double x[MOST_NUMBERS], int *n, const hr_key *of, const char *text)
{
    hr_key number = *of;
    const char *at = text;

    number.type = HR_KEY_REAL;
    for (*n = 0; *n < MOST_NUMBERS; ++*n) {
        char part[64];
        size_t length;

        at += strspn(at, " ");
        length = strcspn(at, ", ");
        snprintf(part, sizeof part, "%.*s", (int)(length < sizeof part ? length : 0), at);
        HR_TRY(hr_key_parse(&x[*n], &number, part));
        at += length + strspn(at + length, " ");
        if (!*at) {
            ++*n;
            return HIRL_OK;
        }
        if (*at++ != ',')
            break;
    }
    return hr_fail(HIRL_E_INVALID, "%s: '%.60s' is no list of up to %d numbers", of->name, text,
                   MOST_NUMBERS);
}

static hirl_status check_numbers(const setting *s, const double *x, int n, const char *text)
{
    const char *name = key[s->key].name;

    if (s->by_kind && n != 1 && n != HR_VIEW_KINDS)
        return hr_fail(HIRL_E_INVALID,
                       "%s: %d numbers in '%.60s'; wanted 1, or 3 for first global, other global "
                       "and local views",
                       name, n, text);
    if (!s->by_kind && n != s->numbers)
        return hr_fail(HIRL_E_INVALID, "%s: %d numbers in '%.60s'; wanted %d", name, n, text,
                       s->numbers);
    if (s->numbers == 2 && x[0] > x[1])
        return hr_fail(HIRL_E_INVALID, "%s: %g to %g; the first may not be above the second", name,
                       x[0], x[1]);
    if (s->key == JITTER && x[HUE] > LARGEST_HUE)
        return hr_fail(HIRL_E_INVALID, "%s: hue %g is outside 0 to %g", name, x[HUE], LARGEST_HUE);
    return HIRL_OK;
}

static char *text_of(hr_view_config *config, const setting *s)
{
    return (char *)config + key[s->key].offset;
}

static double *numbers_of(hr_view *view, const setting *s)
{
    return (double *)(void *)((char *)view + s->field);
}

static hirl_status apply(hr_view kind[HR_VIEW_KINDS], hr_view_config *config, const setting *s)
{
    const char *text = text_of(config, s);
    double x[MOST_NUMBERS];
    int n;

    if (!strcmp(text, "auto"))
        return HIRL_OK;
    HR_TRY(read_numbers(x, &n, &key[s->key], text));
    HR_TRY(check_numbers(s, x, n, text));
    for (int k = 0; k < HR_VIEW_KINDS; k++)
        if (s->kind[k])
            memcpy(numbers_of(&kind[k], s), n > s->numbers ? x + k : x,
                   (size_t)s->numbers * sizeof *x);
    return HIRL_OK;
}

/* what auto stands for, as text that reads back the same; other texts stay as they were given, so that a resumed
 * run finds the same ones */
static void print(hr_view_config *config, hr_view kind[HR_VIEW_KINDS], const setting *s)
{
    char *text = text_of(config, s);
    int used = 0;

    if (strcmp(text, "auto"))
        return;
    for (int k = 0; k < HR_VIEW_KINDS; k++) {
        if (!s->kind[k] || (used && !s->by_kind))
            continue;
        for (int i = 0; i < s->numbers; i++) {
            char number[32];

            hr_real_text(number, sizeof number, numbers_of(&kind[k], s)[i]);
            used += snprintf(text + used, HR_KEY_TEXT_BYTES - (size_t)used, "%s%s", used ? "," : "",
                             number);
        }
    }
}

/* ---- how many, how large ---- */

static int64_t size_of_local(const hr_view_defaults *defaults, int32_t image_size)
{
    int64_t multiple = defaults->multiple > 1 ? defaults->multiple : 1;
    int64_t steps = (int64_t)rint(image_size * 96 / 224.0 / (double)multiple);

    return multiple * (steps > 1 ? steps : 1);
}

static hirl_status check_globals(const hr_view_config *c, const hr_view_defaults *defaults)
{
    long long n = c->global_crops_number;

    if (n < defaults->fewest || (defaults->most && n > defaults->most))
        return hr_fail(HIRL_E_INVALID, "%s: %lld; the method takes %d to %d",
                       key[GLOBAL_NUMBER].name, n, (int)defaults->fewest,
                       (int)(defaults->most ? defaults->most : HR_VIEWS));
    return HIRL_OK;
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
        return hr_fail(HIRL_E_INVALID, "%s: %d sizes for %d numbers of %s; wanted 1 or as many",
                       key[LOCAL_SIZE].name, (int)c->local_crops_size.count,
                       (int)c->local_crops_number.count, key[LOCAL_NUMBER].name);
    for (int32_t i = 0; i < c->local_crops_number.count; i++)
        locals += c->local_crops_number.item[i];
    if (locals + c->global_crops_number > HR_VIEWS)
        return hr_fail(HIRL_E_INVALID, "%s: %lld local and %lld global views; at most %d in all",
                       key[LOCAL_NUMBER].name, (long long)locals, (long long)c->global_crops_number,
                       HR_VIEWS);
    return HIRL_OK;
}

/* -> how many views there are */
static int32_t lay_out(hr_view view[HR_VIEWS], const hr_view kind[HR_VIEW_KINDS],
                       const hr_view_config *c)
{
    int32_t at = 0;

    for (; at < c->global_crops_number; at++)
        view[at] = kind[at ? HR_VIEW_OTHER : HR_VIEW_FIRST];
    for (int32_t group = 0; group < c->local_crops_number.count; group++)
        for (int64_t i = 0; i < c->local_crops_number.item[group]; i++) {
            view[at] = kind[HR_VIEW_LOCAL];
            view[at++].size =
                (int32_t)c->local_crops_size.item[c->local_crops_size.count > 1 ? group : 0];
        }
    return at;
}

hirl_status hr_views_resolve(hr_view view[HR_VIEWS], int32_t *globals, int32_t *count,
                             hr_view_config *config, const hr_view_defaults *defaults,
                             int32_t image_size, const float mean[3], const float std[3])
{
    hr_view_config c = *config;
    hr_view kind[HR_VIEW_KINDS];

    HR_TRY(resolve_numbers(&c, defaults, image_size));
    for (int k = 0; k < HR_VIEW_KINDS; k++) {
        hr_view_recipe(&kind[k], defaults->recipe[k], image_size, mean, std);
        if (c.crop_filter)
            kind[k].filter = (int32_t)c.crop_filter;
    }
    c.crop_filter = kind[HR_VIEW_FIRST].filter;
    for (int s = 0; s < SETTINGS; s++) {
        HR_TRY(apply(kind, &c, &settings[s]));
        print(&c, kind, &settings[s]);
    }
    *globals = (int32_t)c.global_crops_number;
    *count = lay_out(view, kind, &c);
    *config = c;
    return HIRL_OK;
}
