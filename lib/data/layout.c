/* layout.c - what the folders of a data set mean: splits, classes, or neither.
 *
 * Only folders that hold images count. Folders are splits when their names state at least two of
 * training, validation and test, or when their names state splits and no other folder lies beside
 * them. Names with other words (role.h) count only in pairs: seg_train and seg_test. Otherwise the
 * splits of the only folder that counts are those of the data.
 *
 * One folder with the name of a split beside others has two readings. It is a split if the key
 * split names it, or if it is for training and has subfolders as only a split has them; else it is
 * a class, because a class may be called train.
 *
 * Classes are the subfolders of a split, or of the data. If there is only one whose name
 * tells nothing (images), or repeats that of the folder above, then those in it are the classes.
 */
#include "data/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

enum { CANDIDATES = 32, NAMED = 3, LOOKED_BELOW = 2 };

/* ---- the entries of a folder ---- */

typedef struct child {
    hr_span in; /* for a file: the file itself */
    const char *name;
    size_t length;
    bool folder, closed;
    int64_t images;
} child;

/* Steps to the next entry of the folder `span`; *at begins with span->begin. */
static bool next_child(child *next, const hr_walk *walk, const hr_span *span, int64_t *at)
{
    const char *path, *slash;
    size_t prefix;

    if (*at >= span->end)
        return false;
    path = hr_walk_path(walk, *at);
    slash = strchr(path + span->skip, '/');
    *next = (child){ { *at, *at + 1, span->skip }, path + span->skip, 0, slash != NULL, false, 0 };
    next->length = slash ? (size_t)(slash - next->name) : strlen(next->name);
    prefix = span->skip + next->length + 1;
    next->in.skip = slash ? prefix : span->skip;
    while (slash && next->in.end < span->end &&
           !strncmp(hr_walk_path(walk, next->in.end), path, prefix))
        next->in.end++;
    for (int64_t i = next->in.begin; i < next->in.end; i++) {
        next->images += walk->found[i].kind == HR_FOUND_IMAGE;
        next->closed |= walk->found[i].kind == HR_FOUND_CLOSED;
    }
    *at = next->in.end;
    return true;
}

static bool is_name(const child *c, const char *name, size_t length)
{
    return c->length == length && !strncmp(c->name, name, length);
}

/* Finds the only folder with images in a folder without images of its own. */
static bool only_folder(child *only, const hr_walk *walk, const hr_span *span)
{
    int64_t at = span->begin, folders = 0;
    child c;

    while (next_child(&c, walk, span, &at)) {
        if (!c.images)
            continue;
        if (!c.folder || folders++)
            return false;
        *only = c;
    }
    return folders == 1;
}

/* The folders with images of a folder; *shared: how many have the name of one of `other`. */
static int64_t count_folders(int64_t *shared, const hr_walk *walk, const hr_span *span,
                             const hr_span *other)
{
    int64_t at = span->begin, folders = 0;
    child c, d;

    *shared = 0;
    while (next_child(&c, walk, span, &at)) {
        int64_t beside = other ? other->begin : 0;

        if (!c.folder || !c.images)
            continue;
        folders++;
        while (other && next_child(&d, walk, other, &beside))
            *shared += d.folder && d.images && is_name(&c, d.name, d.length);
    }
    return folders;
}

static bool has_loose_images(const hr_walk *walk, const hr_span *span)
{
    int64_t at = span->begin;
    child c;

    while (next_child(&c, walk, span, &at))
        if (!c.folder && c.images)
            return true;
    return false;
}

/* ---- which folders are splits ---- */

typedef struct candidate {
    child folder;
    hr_role role;
    char rest[HR_REST_BYTES];
    bool counts; /* is a split, if any is */
} candidate;

/* The folders in a folder. */
typedef struct family {
    candidate candidate[CANDIDATES]; /* folders with the role of a split */
    int32_t candidates, splits;      /* splits: candidates that count */
    int32_t roles;                   /* how many of training, validation and test they have */
    int64_t others, other_images, loose;
} family;

static void add_candidate(family *f, const child *c)
{
    candidate *new = &f->candidate[f->candidates];

    if (f->candidates == CANDIDATES)
        return;
    new->role = hr_role_of_name(new->rest, c->name, c->length);
    new->folder = *c;
    f->candidates += new->role != HR_ROLE_NONE;
}

static bool has_partner(const family *f, const candidate *c)
{
    for (int32_t i = 0; i < f->candidates; i++)
        if (f->candidate[i].role != c->role && !strcmp(f->candidate[i].rest, c->rest))
            return true;
    return false;
}

static void count_roles(family *f)
{
    bool seen[HR_ROLE_UNLABELLED + 1] = { false };

    for (int32_t i = 0; i < f->candidates; i++) {
        candidate *c = &f->candidate[i];

        c->counts = !*c->rest || has_partner(f, c);
        f->splits += c->counts;
        seen[c->role] |= c->counts;
    }
    f->roles = seen[HR_ROLE_TRAIN] + seen[HR_ROLE_VAL] + seen[HR_ROLE_TEST];
}

static bool is_split(const family *f, const child *c)
{
    for (int32_t i = 0; i < f->candidates; i++)
        if (f->candidate[i].counts && f->candidate[i].folder.in.begin == c->in.begin)
            return true;
    return false;
}

static void meet_family(family *f, const hr_walk *walk, const hr_span *span)
{
    int64_t at = span->begin;
    child c;

    *f = (family){ 0 };
    while (next_child(&c, walk, span, &at))
        if (c.folder && (c.images || c.closed))
            add_candidate(f, &c);
    count_roles(f);
    at = span->begin;
    while (next_child(&c, walk, span, &at)) {
        bool other = c.folder && c.images && !is_split(f, &c);

        f->others += other;
        f->other_images += other ? c.images : 0;
        f->loose += c.folder ? 0 : c.images;
    }
}

/* Whether a folder called train has subfolders as only a split has them: several, no images beside
 * them, and no folder beside it has other subfolders, as classes of classes would. */
static bool looks_like_split(const family *f, const candidate *train, const hr_walk *walk,
                             const hr_span *span)
{
    int64_t at = span->begin, shared;
    child c;

    if (train->role != HR_ROLE_TRAIN || has_loose_images(walk, &train->folder.in) ||
        count_folders(&shared, walk, &train->folder.in, NULL) < 2)
        return false;
    while (next_child(&c, walk, span, &at))
        if (c.folder && c.images && !is_split(f, &c) &&
            count_folders(&shared, walk, &c.in, &train->folder.in) > 1 && !shared)
            return false;
    return true;
}

bool hr_names_a_split(const char *split)
{
    return *split && strcmp(split, "auto") && strcmp(split, "all") && strcmp(split, "bank") &&
           strcmp(split, "queries");
}

static bool is_wanted(const candidate *c, const char *wanted)
{
    return is_name(&c->folder, wanted, strlen(wanted)) ||
           hr_role_of_plain_name(wanted, strlen(wanted)) == c->role;
}

static const candidate *first_split(const family *f)
{
    for (int32_t i = 0; i < f->candidates; i++)
        if (f->candidate[i].counts)
            return &f->candidate[i];
    return NULL;
}

/* ---- sentences ---- */

static void append(char *text, size_t room, const char *format, ...) HR_PRINTF(3, 4);

static void append(char *text, size_t room, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + used, room - used, format, args);
    va_end(args);
}

static void append_images(char *text, size_t room, int64_t images)
{
    append(text, room, "%lld image%s", (long long)images, images == 1 ? "" : "s");
}

/* Lists the folders beside the splits. */
static void list_others(char *text, size_t room, const family *f, const hr_walk *walk,
                        const hr_span *span)
{
    int64_t at = span->begin, listed = 0;
    char name[HR_PART_NAME];
    child c;

    while (listed < NAMED && next_child(&c, walk, span, &at)) {
        if (!c.folder || !c.images || is_split(f, &c))
            continue;
        hr_plain_text(name, sizeof name, c.name, c.length);
        append(text, room, "%s%s (", listed++ ? ", " : "", name);
        append_images(text, room, c.images);
        append(text, room, ")");
    }
    if (f->others > listed)
        append(text, room, " and %lld other folders", (long long)(f->others - listed));
    if (!f->loose)
        return;
    append(text, room, "%s", listed ? " and " : "");
    append_images(text, room, f->loose);
    append(text, room, " in no folder");
}

static void state_unclear(hr_layout *layout, const family *f, const hr_walk *walk,
                          const hr_span *span, bool split)
{
    const candidate *c = first_split(f);
    char *text = layout->unclear, name[HR_PART_NAME], others[256] = "";
    size_t room = sizeof layout->unclear;

    hr_plain_text(name, sizeof name, c->folder.name, c->folder.length);
    list_others(others, sizeof others, f, walk, span);
    append(text, room, "the folder %s (", name);
    append_images(text, room, c->folder.images);
    if (split)
        append(text, room, ") is taken as a split, so %s %s left out; split=all would use all",
               others, f->others + f->loose == 1 ? "is" : "are");
    else
        append(text, room,
               ") is taken as a class like %s beside it, so its images are used; if it is a split, "
               "set split=%s",
               others, name);
}

/* ---- finding ---- */

static bool is_wrapper(const child *c, const char *above, size_t length)
{
    return hr_is_wrapper_name(c->name, c->length) ||
           (c->length == length && !strncasecmp(c->name, above, length));
}

/* Descends from a folder to the one whose subfolders are classes. */
static void find_classes(hr_layout_part *part, const hr_walk *walk, const char *name, size_t length)
{
    int64_t at, folders = 0;
    child c;

    part->classes = part->all;
    while (only_folder(&c, walk, &part->classes) && is_wrapper(&c, name, length)) {
        part->classes = c.in;
        name = c.name;
        length = c.length;
    }
    at = part->classes.begin;
    while (next_child(&c, walk, &part->classes, &at))
        folders += c.folder && c.images;
    part->has_classes = folders > 0;
}

static void use_splits(hr_layout *layout, const family *f, const hr_walk *walk, const hr_span *span)
{
    int64_t at = span->begin;
    bool train = false;
    child c;

    for (int32_t i = 0; i < f->candidates; i++) {
        const child *folder = &f->candidate[i].folder;
        hr_layout_part *part = &layout->part[layout->parts];

        if (!f->candidate[i].counts)
            continue;
        train |= f->candidate[i].role == HR_ROLE_TRAIN;
        part->all = folder->in;
        find_classes(part, walk, folder->name, folder->length);
        layout->parts++;
    }
    list_others(layout->beside, sizeof layout->beside, f, walk, span);
    while (!train && next_child(&c, walk, span, &at))
        if (c.folder && hr_role_of_plain_name(c.name, c.length) == HR_ROLE_TRAIN)
            hr_plain_text(layout->no_train, sizeof layout->no_train, c.name, c.length);
}

/* Sets the splits if the folders in this folder are splits. */
static void try_folder(hr_layout *layout, const hr_walk *walk, const hr_span *span,
                       const char *wanted)
{
    const candidate *first;
    bool named, split;
    family f;

    meet_family(&f, walk, span);
    first = first_split(&f);
    if (!first || f.splits > HR_PART_LIMIT)
        return;
    named = hr_names_a_split(wanted);
    if (f.roles > 1 || !f.others)
        split = true;
    else if (named)
        split = is_wanted(first, wanted);
    else
        split = strcmp(wanted, "all") && looks_like_split(&f, first, walk, span);
    if (f.roles < 2 && f.others && !named && !*layout->unclear)
        state_unclear(layout, &f, walk, span, split);
    if (split)
        use_splits(layout, &f, walk, span);
}

/* Searches a folder, then the only one below it. For a split that is wanted by name it searches all
 * folders below, of which only one may have splits. */
static void find(hr_layout *layout, const hr_walk *walk, const hr_span *span, const char *wanted,
                 int depth)
{
    int64_t at = span->begin, found = 0;
    hr_layout below;
    child c;

    try_folder(layout, walk, span, wanted);
    if (layout->parts || depth == LOOKED_BELOW)
        return;
    if (only_folder(&c, walk, span)) {
        find(layout, walk, &c.in, wanted, depth + 1);
        return;
    }
    while (hr_names_a_split(wanted) && next_child(&c, walk, span, &at)) {
        below = (hr_layout){ 0 };
        if (c.folder && c.images)
            find(&below, walk, &c.in, wanted, depth + 1);
        if (below.parts && !found++)
            *layout = below;
    }
    if (found > 1)
        *layout = (hr_layout){ 0 };
}

void hr_layout_find(hr_layout *layout, const hr_walk *walk, const char *wanted)
{
    const char *slash = strrchr(walk->root, '/'), *name = slash ? slash + 1 : walk->root;
    hr_span whole = { 0, walk->count, 0 };

    *layout = (hr_layout){ 0 };
    find(layout, walk, &whole, wanted, 0);
    if (layout->parts)
        return;
    layout->part[0].all = whole;
    find_classes(&layout->part[0], walk, name, strlen(name));
}

const char *hr_layout_class(size_t *length, const hr_walk *walk, const hr_span *classes,
                            int64_t index)
{
    const char *name = hr_walk_path(walk, index) + classes->skip, *slash = strchr(name, '/');

    *length = slash ? (size_t)(slash - name) : 0;
    return name;
}
