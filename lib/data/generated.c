/* generated.c - an unlimited set of images with a known three-level hierarchy.
 *
 * Image i of a seed shows one object on a cluttered background. Its class is drawn uniformly:
 *
 *     top     4   shape of the parts        disc, triangle, cross, bar
 *     middle  16  number and arrangement    one, two, one large with two small, four
 *     fine    64  motif inside each part    halves, quarters, stripes, centre
 *
 * All shapes have the same area, all arrangements the same total area, and every motif inks half of
 * it, so that the amounts of the three colours reveal nothing about the class. Position, rotation,
 * size, aspect ratio, colours, background, clutter, light and noise are drawn independently of the
 * class.
 *
 * The canvas is [-1, 1] x [-1, 1]. Edges are anti-aliased by the signed distance in pixels, so that
 * every image size shows the same drawing. Random numbers have the purpose HR_RNG_GENERATED, the
 * number as image, and the part of the drawing (enum below) as view. Pixels are computed with
 * + - * / and sqrt only, so that their bits are the same on every machine.
 */
#include "data/generated.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"

enum { DRAW_LABEL, DRAW_COLOUR, DRAW_BACKGROUND, DRAW_CLUTTER, DRAW_OBJECT, DRAW_NOISE };
enum { DISC, TRIANGLE, CROSS, BAR };
enum { HALVES, QUARTERS, STRIPES, CENTRE };
enum { PARTS = 4, STROKES = 3, SPECKS = 3, LATTICE = 5 };

#define PI 3.14159265358979323846
#define COVER 0.62 /* radius of the disc whose area is that of all parts together */

/* Dimensions of shapes of area pi, in units of the part's radius. */
#define TRIANGLE_INNER 0.7776f /* inradius: 3 sqrt(3) a^2 = pi */
#define CROSS_LENGTH 1.2f      /* 8 l w - 4 w^2 = pi */
#define CROSS_WIDTH 0.3910f
#define BAR_LENGTH 1.3f /* 4 l w = pi */
#define BAR_WIDTH 0.6042f
#define REACH 1.6f /* no point of a shape lies further from its centre */

static const char *const shape_name[4] = { "disc", "triangle", "cross", "bar" };
static const char *const arrangement_name[4] = { "one", "two", "three", "four" };
static const char *const motif_name[4] = { "halves", "quarters", "stripes", "centre" };

/* x, y and radius of the parts in units of COVER. The squares of the radii sum to 1. */
static const double place[4][PARTS][3] = {
    { { 0, 0, 1 } },
    { { -0.90, 0, 0.7071 }, { 0.90, 0, 0.7071 } },
    { { -0.50, 0, 0.7071 }, { 0.72, -0.62, 0.5 }, { 0.72, 0.62, 0.5 } },
    { { -0.62, -0.62, 0.5 }, { 0.62, -0.62, 0.5 }, { -0.62, 0.62, 0.5 }, { 0.62, 0.62, 0.5 } },
};
static const int place_count[4] = { 1, 2, 3, 4 };

/* Half of a shape's area lies within this distance of its centre. */
static const float half_radius[4] = { 0.7071f, 0.716f, 0.760f, 0.700f };
/* Period of the stripes: two periods in the width of each shape. */
static const float stripe_period[4] = { 1.0f, 1.1f, 0.9f, 1.3f };

typedef struct part {
    float x, y, cosine, sine, aspect; /* transform from the canvas to the part's frame */
    float radius;
} part;

typedef struct mark { /* a translucent stroke from a to b; a speck when a equals b */
    float ax, ay, bx, by, width, alpha, colour[3];
} mark;

typedef struct scene {
    int size, shape, motif, parts, marks;
    float pixel; /* side of a pixel on the canvas */
    part part[PARTS];
    mark mark[STROKES + SPECKS];
    float ground[LATTICE][LATTICE][3], base[3], ink[3];
    float light[2], brightness, noise;
} scene;

static void start(hr_rng *rng, uint64_t seed, uint32_t number, uint32_t view)
{
    hr_rng_init(rng, seed, HR_RNG_GENERATED, view, 0, number);
}

int32_t hr_generated_label(uint64_t seed, uint32_t number)
{
    hr_rng rng;

    start(&rng, seed, number, DRAW_LABEL);
    return (int32_t)hr_rng_below(&rng, HR_GENERATED_FINE);
}

void hr_generated_class_name(char name[40], int32_t level, int32_t class_index)
{
    int32_t fine = class_index << 2 * level;

    if (level == 0)
        snprintf(name, 40, "%s %s %s", arrangement_name[fine / 4 % 4], shape_name[fine / 16 % 4],
                 motif_name[fine % 4]);
    else if (level == 1)
        snprintf(name, 40, "%s %s", arrangement_name[fine / 4 % 4], shape_name[fine / 16 % 4]);
    else
        snprintf(name, 40, "%s", shape_name[fine / 16 % 4]);
}

/* ---- random choices ---- */

/* Draws a colour of the given brightness: gray with a random tint. */
static void draw_tint(float colour[3], hr_rng *rng, double brightness)
{
    double tint[3], luma;

    for (int c = 0; c < 3; c++)
        tint[c] = hr_rng_range(rng, -0.22, 0.22);
    luma = 0.299 * tint[0] + 0.587 * tint[1] + 0.114 * tint[2];
    for (int c = 0; c < 3; c++)
        colour[c] = (float)(brightness + tint[c] - luma);
}

/* Assigns a dark, a middle and a bright colour to ground, base and ink in random order. */
static void draw_colours(scene *s, float ground[3], hr_rng *rng)
{
    float *to[3] = { ground, s->base, s->ink };
    int64_t order[3];

    hr_rng_permutation(rng, order, 3);
    draw_tint(to[order[0]], rng, hr_rng_range(rng, 0.12, 0.22));
    draw_tint(to[order[1]], rng, hr_rng_range(rng, 0.45, 0.55));
    draw_tint(to[order[2]], rng, hr_rng_range(rng, 0.78, 0.88));
    s->brightness = (float)hr_rng_range(rng, 0.85, 1.1);
    s->noise = (float)hr_rng_range(rng, 0.01, 0.07);
}

static void draw_background(scene *s, const float ground[3], hr_rng *rng)
{
    double angle = hr_rng_range(rng, 0, 2 * PI), strength = hr_rng_range(rng, 0, 0.25);
    double rough = hr_rng_range(rng, 0.02, 0.12);

    s->light[0] = (float)(strength * cos(angle));
    s->light[1] = (float)(strength * sin(angle));
    for (int i = 0; i < LATTICE; i++)
        for (int j = 0; j < LATTICE; j++)
            for (int c = 0; c < 3; c++)
                s->ground[i][j][c] = ground[c] + (float)hr_rng_range(rng, -rough, rough);
}

static void draw_mark(mark *m, hr_rng *rng, double length, double width)
{
    double angle = hr_rng_range(rng, 0, 2 * PI);
    double x = hr_rng_range(rng, -1, 1), y = hr_rng_range(rng, -1, 1);

    m->ax = (float)x;
    m->ay = (float)y;
    m->bx = (float)(x + length * cos(angle));
    m->by = (float)(y + length * sin(angle));
    m->width = (float)width;
    m->alpha = (float)hr_rng_range(rng, 0.3, 0.7);
    for (int c = 0; c < 3; c++)
        m->colour[c] = (float)hr_rng_uniform(rng);
}

static void draw_clutter(scene *s, hr_rng *rng)
{
    int strokes = (int)hr_rng_below(rng, STROKES + 1), specks = (int)hr_rng_below(rng, SPECKS + 1);

    for (int i = 0; i < strokes; i++) {
        double length = hr_rng_range(rng, 0.4, 1.4), width = hr_rng_range(rng, 0.02, 0.04);

        draw_mark(&s->mark[s->marks++], rng, length, width);
    }
    for (int i = 0; i < specks; i++)
        draw_mark(&s->mark[s->marks++], rng, 0, hr_rng_range(rng, 0.04, 0.10));
}

static void draw_part(part *p, hr_rng *rng, const double at[3], double radius, double turn)
{
    double own = turn + hr_rng_range(rng, -0.2, 0.2);
    double aspect = hr_rng_range(rng, 0.92, 1.08);

    p->radius = (float)(radius * at[2] * hr_rng_range(rng, 0.93, 1.07));
    p->cosine = (float)cos(own);
    p->sine = (float)sin(own);
    p->aspect = (float)aspect;
    p->x = (float)(radius * (at[0] + hr_rng_range(rng, -0.06, 0.06)));
    p->y = (float)(radius * (at[1] + hr_rng_range(rng, -0.06, 0.06)));
}

static void draw_object(scene *s, hr_rng *rng, int arrangement)
{
    double turn = hr_rng_range(rng, 0, 2 * PI), own = hr_rng_range(rng, 0, 2 * PI);
    double radius = COVER * hr_rng_range(rng, 0.85, 1.15);
    double x = hr_rng_range(rng, -0.18, 0.18), y = hr_rng_range(rng, -0.18, 0.18);

    s->parts = place_count[arrangement];
    for (int i = 0; i < s->parts; i++) {
        part *p = &s->part[i];
        double px, py;

        draw_part(p, rng, place[arrangement][i], radius, own);
        px = p->x;
        py = p->y;
        p->x = (float)(x + cos(turn) * px - sin(turn) * py);
        p->y = (float)(y + sin(turn) * px + cos(turn) * py);
    }
}

static void draw_scene(scene *s, int32_t size, uint64_t seed, uint32_t number)
{
    int32_t label = hr_generated_label(seed, number);
    float ground[3];
    hr_rng rng;

    memset(s, 0, sizeof *s);
    s->size = size;
    s->pixel = 2.0f / (float)size;
    s->shape = label / 16;
    s->motif = label % 4;
    start(&rng, seed, number, DRAW_COLOUR);
    draw_colours(s, ground, &rng);
    start(&rng, seed, number, DRAW_BACKGROUND);
    draw_background(s, ground, &rng);
    start(&rng, seed, number, DRAW_CLUTTER);
    draw_clutter(s, &rng);
    start(&rng, seed, number, DRAW_OBJECT);
    draw_object(s, &rng, label / 4 % 4);
}

/* ---- painting a pixel ---- */

static float clamp01(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static float larger(float a, float b)
{
    return a > b ? a : b;
}

/* Signed distance to the edge of a shape of area pi; negative inside. */
static float shape_distance(int shape, float x, float y)
{
    float ax = fabsf(x), ay = fabsf(y);

    switch (shape) {
    case DISC:
        return sqrtf(x * x + y * y) - 1;
    case TRIANGLE:
        return larger(0.8660254f * ax + 0.5f * y, -y) - TRIANGLE_INNER;
    case CROSS:
        if (ay > ax)
            return larger(ay - CROSS_LENGTH, ax - CROSS_WIDTH);
        return larger(ax - CROSS_LENGTH, ay - CROSS_WIDTH);
    default:
        return larger(ax - BAR_LENGTH, ay - BAR_WIDTH);
    }
}

/* Signed distance to the border of the inked half; negative inside. */
static float motif_distance(int motif, int shape, float x, float y)
{
    float u = x, v = y, t;

    if (shape == CROSS) { /* axes along the diagonals, so that each arm lies on one side */
        u = 0.70710678f * (x + y);
        v = 0.70710678f * (y - x);
    }
    switch (motif) {
    case HALVES:
        return u;
    case QUARTERS:
        t = fabsf(u) < fabsf(v) ? fabsf(u) : fabsf(v);
        return (u < 0) == (v < 0) ? -t : t;
    case STRIPES: /* a triangle wave that is 0 at the borders of the stripes */
        t = u / stripe_period[shape] + 0.5f;
        t -= floorf(t);
        return (fabsf(t - 0.5f) - 0.25f) * stripe_period[shape];
    default:
        return sqrtf(x * x + y * y) - half_radius[shape];
    }
}

static void blend(float colour[3], const float with[3], float alpha)
{
    for (int c = 0; c < 3; c++)
        colour[c] += alpha * (with[c] - colour[c]);
}

static void paint_ground(float colour[3], const scene *s, float x, float y)
{
    float u = (x + 1) * 0.5f * (LATTICE - 1), v = (y + 1) * 0.5f * (LATTICE - 1);
    int i = (int)v, j = (int)u;

    v -= (float)i;
    u -= (float)j;
    for (int c = 0; c < 3; c++) {
        float up = s->ground[i][j][c] + u * (s->ground[i][j + 1][c] - s->ground[i][j][c]);
        float low =
            s->ground[i + 1][j][c] + u * (s->ground[i + 1][j + 1][c] - s->ground[i + 1][j][c]);

        colour[c] = up + v * (low - up);
    }
}

static void paint_mark(float colour[3], const scene *s, const mark *m, float x, float y)
{
    float dx = m->bx - m->ax, dy = m->by - m->ay, px = x - m->ax, py = y - m->ay;
    float length = dx * dx + dy * dy, t = length > 0 ? clamp01((px * dx + py * dy) / length) : 0;
    float away, reach = m->width + s->pixel;

    px -= t * dx;
    py -= t * dy;
    away = px * px + py * py;
    if (away >= reach * reach)
        return;
    away = sqrtf(away) - m->width;
    blend(colour, m->colour, m->alpha * clamp01(0.5f - away / s->pixel));
}

static void paint_part(float colour[3], const scene *s, const part *p, float x, float y)
{
    float dx = (x - p->x) / p->radius, dy = (y - p->y) / p->radius;
    float u, v, inside, ink, sharp = p->radius / s->pixel, paint[3];

    if (dx * dx + dy * dy > (REACH + 0.2f) * (REACH + 0.2f))
        return;
    u = (p->cosine * dx + p->sine * dy) * p->aspect;
    v = (p->cosine * dy - p->sine * dx) / p->aspect;
    inside = clamp01(0.5f - sharp * shape_distance(s->shape, u, v));
    if (inside <= 0)
        return;
    ink = clamp01(0.5f - sharp * motif_distance(s->motif, s->shape, u, v));
    memcpy(paint, s->base, sizeof paint);
    blend(paint, s->ink, ink);
    blend(colour, paint, inside);
}

static void paint_pixel(float colour[3], const scene *s, float x, float y)
{
    float light = s->brightness * (1 + s->light[0] * x + s->light[1] * y);

    paint_ground(colour, s, x, y);
    for (int i = 0; i < s->marks; i++)
        paint_mark(colour, s, &s->mark[i], x, y);
    for (int i = 0; i < s->parts; i++)
        paint_part(colour, s, &s->part[i], x, y);
    for (int c = 0; c < 3; c++)
        colour[c] *= light;
}

void hr_generated_draw(uint8_t *pixels, int32_t size, uint64_t seed, uint32_t number)
{
    scene s;
    hr_rng noise;

    draw_scene(&s, size, seed, number);
    start(&noise, seed, number, DRAW_NOISE);
    for (int row = 0; row < size; row++)
        for (int column = 0; column < size; column++) {
            uint32_t word = hr_rng_u32(&noise);
            float colour[3];

            paint_pixel(colour, &s, ((float)column + 0.5f) * s.pixel - 1,
                        ((float)row + 0.5f) * s.pixel - 1);
            for (int c = 0; c < 3; c++) {
                float grain = (float)(word >> 10 * c & 1023) * (1.0f / 1023) - 0.5f;

                *pixels++ = (uint8_t)(clamp01(colour[c] + s.noise * grain * 2) * 255 + 0.5f);
            }
        }
}
