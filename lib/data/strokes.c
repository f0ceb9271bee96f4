/* strokes.c - an unlimited set of images of written characters from ten alphabets.
 *
 * Image i of a seed shows one character. The class is drawn uniformly:
 *
 *     top     10  alphabet    its anchors, the bend of its strokes, and one stroke that all of its
 *                             characters share
 *     fine    60  character   two or three more strokes from anchor to anchor
 *
 * The alphabets are the same for every seed. Each image writes the character anew: the ends of
 * strokes and their control points move, the whole is turned, sheared, stretched and displaced.
 * These, the width of the pen, the darkness of the ink and the noise are drawn independently of the
 * class. Images differ in little else, so that a method cannot tell them apart by their colours.
 *
 * The canvas is [-1, 1] x [-1, 1]. A stroke is a quadratic Bezier curve, drawn as PIECES straight
 * pieces. Edges are anti-aliased by the distance in pixels, so that every image size shows the same
 * drawing. Random numbers have the purpose HR_RNG_GENERATED, and the part of the drawing (enum
 * below) as view. Pixels are computed with + - * / and sqrt only, so that their bits are the same
 * on every machine.
 */
#include "data/strokes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"

/* The views below 64 belong to generated.c. */
enum { DRAW_ALPHABET = 64, DRAW_LETTER, DRAW_LABEL, DRAW_PEN, DRAW_COLOUR, DRAW_NOISE };
enum { ANCHORS = 6, STROKES = 4, PIECES = 6 };

typedef struct stroke {
    double x[3], y[3]; /* start, control point, end */
} stroke;

typedef struct alphabet {
    double x[ANCHORS], y[ANCHORS];
    double bend; /* distance of the control point from the chord, in lengths of the chord */
    stroke shared;
    uint32_t strokes; /* number in a character, without the shared one */
} alphabet;

typedef struct drawing {
    int32_t pieces;
    float x[STROKES * PIECES + STROKES], y[STROKES * PIECES + STROKES];
    bool begins[STROKES * PIECES + STROKES]; /* the point begins a stroke */
    float width, pixel, paper[3], ink[3], noise;
} drawing;

static void start(hr_rng *rng, uint64_t seed, uint32_t number, uint32_t view)
{
    hr_rng_init(rng, seed, HR_RNG_GENERATED, view, 0, number);
}

int32_t hr_strokes_label(uint64_t seed, uint32_t number)
{
    hr_rng rng;

    start(&rng, seed, number, DRAW_LABEL);
    return (int32_t)hr_rng_below(&rng, HR_STROKES_FINE);
}

void hr_strokes_class_name(char name[40], int32_t level, int32_t class_index)
{
    if (level == 0)
        snprintf(name, 40, "alphabet %d letter %d", (int)class_index / HR_STROKES_LETTERS + 1,
                 (int)class_index % HR_STROKES_LETTERS + 1);
    else
        snprintf(name, 40, "alphabet %d", (int)class_index + 1);
}

/* ---- alphabets and characters ---- */

static void bend(stroke *s, double by)
{
    double dx = s->x[2] - s->x[0], dy = s->y[2] - s->y[0];

    s->x[1] = 0.5 * (s->x[0] + s->x[2]) - by * dy;
    s->y[1] = 0.5 * (s->y[0] + s->y[2]) + by * dx;
}

/* A stroke between two different anchors. */
static void draw_stroke(stroke *s, const alphabet *a, hr_rng *rng)
{
    uint32_t from = hr_rng_below(rng, ANCHORS);
    uint32_t to = (from + 1 + hr_rng_below(rng, ANCHORS - 1)) % ANCHORS;

    s->x[0] = a->x[from];
    s->y[0] = a->y[from];
    s->x[2] = a->x[to];
    s->y[2] = a->y[to];
    bend(s, hr_rng_below(rng, 2) ? a->bend : -a->bend);
}

/* Each anchor lies in a cell of its own of the grid of 3 x 3 cells. */
static void draw_alphabet(alphabet *a, int32_t number)
{
    int64_t cell[9];
    hr_rng rng;

    start(&rng, 0, (uint32_t)number, DRAW_ALPHABET);
    hr_rng_permutation(&rng, cell, 9);
    for (int i = 0; i < ANCHORS; i++) {
        a->x[i] = 0.55 * (double)(cell[i] % 3 - 1) + hr_rng_range(&rng, -0.1, 0.1);
        a->y[i] = 0.55 * (double)(cell[i] / 3 - 1) + hr_rng_range(&rng, -0.1, 0.1);
    }
    a->bend = 0.3 * (number % 3);
    a->strokes = 2 + hr_rng_below(&rng, 2);
    draw_stroke(&a->shared, a, &rng);
}

/* Returns the number of strokes. */
static int draw_character(stroke s[STROKES], int32_t label)
{
    alphabet a;
    hr_rng rng;

    draw_alphabet(&a, label / HR_STROKES_LETTERS);
    start(&rng, 0, (uint32_t)label, DRAW_LETTER);
    s[0] = a.shared;
    for (uint32_t i = 1; i <= a.strokes; i++)
        draw_stroke(&s[i], &a, &rng);
    return (int)a.strokes + 1;
}

/* ---- one image ---- */

/* Turns by the angle whose tangent is `turn`, after a stretch and a shear. */
static void draw_map(double map[6], hr_rng *rng)
{
    double turn = hr_rng_range(rng, -0.4, 0.4), shear = hr_rng_range(rng, -0.25, 0.25);
    double wide = hr_rng_range(rng, 0.7, 1.1), high = hr_rng_range(rng, 0.7, 1.1);
    double cosine = 1 / sqrt(1 + turn * turn), sine = turn * cosine;

    map[0] = cosine * wide;
    map[1] = (cosine * shear - sine) * high;
    map[2] = sine * wide;
    map[3] = (sine * shear + cosine) * high;
    map[4] = hr_rng_range(rng, -0.18, 0.18);
    map[5] = hr_rng_range(rng, -0.18, 0.18);
}

static void add_points(drawing *d, const stroke *s, const double map[6])
{
    for (int i = 0; i <= PIECES; i++) {
        double t = (double)i / PIECES, a = (1 - t) * (1 - t), b = 2 * t * (1 - t), c = t * t;
        double x = a * s->x[0] + b * s->x[1] + c * s->x[2];
        double y = a * s->y[0] + b * s->y[1] + c * s->y[2];

        d->x[d->pieces] = (float)(map[0] * x + map[1] * y + map[4]);
        d->y[d->pieces] = (float)(map[2] * x + map[3] * y + map[5]);
        d->begins[d->pieces++] = i == 0;
    }
}

static void draw_pen(drawing *d, hr_rng *rng, int32_t label)
{
    stroke s[STROKES];
    int strokes = draw_character(s, label);
    double map[6];

    draw_map(map, rng);
    d->width = (float)hr_rng_range(rng, 0.04, 0.07);
    for (int i = 0; i < strokes; i++) {
        for (int p = 0; p < 3; p++) {
            s[i].x[p] += hr_rng_range(rng, -0.14, 0.14);
            s[i].y[p] += hr_rng_range(rng, -0.14, 0.14);
        }
        add_points(d, &s[i], map);
    }
}

static void draw_colours(drawing *d, hr_rng *rng)
{
    float ink = (float)hr_rng_range(rng, 0.08, 0.16), paper = (float)hr_rng_range(rng, 0.9, 0.96);

    for (int c = 0; c < 3; c++) {
        d->ink[c] = ink;
        d->paper[c] = paper;
    }
    d->noise = 0.01f;
}

/* ---- painting a pixel ---- */

static float clamp01(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* The squared distance from (x, y) to the piece that ends at point i. */
static float piece_distance(const drawing *d, int32_t i, float x, float y)
{
    float dx = d->x[i] - d->x[i - 1], dy = d->y[i] - d->y[i - 1];
    float px = x - d->x[i - 1], py = y - d->y[i - 1], length = dx * dx + dy * dy;
    float t = length > 0 ? clamp01((px * dx + py * dy) / length) : 0;

    px -= t * dx;
    py -= t * dy;
    return px * px + py * py;
}

static void paint_pixel(float colour[3], const drawing *d, float x, float y)
{
    float nearest = 8, ink;

    for (int32_t i = 0; i < d->pieces; i++) {
        float away = d->begins[i] ? nearest : piece_distance(d, i, x, y);

        nearest = away < nearest ? away : nearest;
    }
    ink = clamp01(0.5f - (sqrtf(nearest) - d->width) / d->pixel);
    for (int c = 0; c < 3; c++)
        colour[c] = d->paper[c] + ink * (d->ink[c] - d->paper[c]);
}

void hr_strokes_draw(uint8_t *pixels, int32_t size, uint64_t seed, uint32_t number)
{
    drawing d = { .pixel = 2.0f / (float)size };
    hr_rng rng;

    start(&rng, seed, number, DRAW_PEN);
    draw_pen(&d, &rng, hr_strokes_label(seed, number));
    start(&rng, seed, number, DRAW_COLOUR);
    draw_colours(&d, &rng);
    start(&rng, seed, number, DRAW_NOISE);
    for (int32_t row = 0; row < size; row++)
        for (int32_t column = 0; column < size; column++) {
            uint32_t word = hr_rng_u32(&rng);
            float colour[3];

            paint_pixel(colour, &d, ((float)column + 0.5f) * d.pixel - 1,
                        ((float)row + 0.5f) * d.pixel - 1);
            for (int c = 0; c < 3; c++) {
                float grain = (float)(word >> 10 * c & 1023) * (1.0f / 1023) - 0.5f;

                *pixels++ = (uint8_t)(clamp01(colour[c] + d.noise * grain * 2) * 255 + 0.5f);
            }
        }
}
