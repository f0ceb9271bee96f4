/* settings.c - reads a YAML or JSON file as pairs of key and value, with their lines.
 *
 * The file is one mapping whose values are scalars and lists of scalars. The supported YAML has
 * comments besides. Anchors, aliases, tags and second documents are refused, so that each value is
 * written beside its key.
 */
#include "api/settings.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/option.h"

enum { FILE_MAX = 1 << 20, DEPTH = 8, NAME = 128, VALUE = HR_KEY_TEXT_BYTES };

typedef struct reader {
    const char *path;
    const char *text; /* the whole file */
    size_t bytes;
    hr_settings_fn *fn;
    void *arg;
    yaml_parser_t yaml;
} reader;

static hirl_status at_line(hirl_status status, const reader *r, size_t line)
{
    char where[256];

    snprintf(where, sizeof where, "%.180s:%zu", r->path, line);
    return status < 0 ? hr_fail_in(status, where) : status;
}

static hirl_status check_name(const char *name)
{
    size_t length = strlen(name);

    if (length && length < NAME)
        return HIRL_OK;
    return hr_fail(HIRL_E_FORMAT, "a key of %zu bytes; 1 to %d are expected", length, NAME - 1);
}

static hirl_status refuse_section(const char *name)
{
    return hr_fail(HIRL_E_INVALID,
                   "unknown section '%.60s'; keys have no sections: write each key with its value "
                   "at the top level",
                   name);
}

/* appends an item: "a" and "b" become "a,b" */
static hirl_status join_value(char value[VALUE], const char *item, bool first)
{
    size_t at = strlen(value);

    if (at + strlen(item) + 2 > VALUE)
        return hr_fail(HIRL_E_LIMIT, "a list above the limit of %d bytes", VALUE - 1);
    snprintf(value + at, VALUE - at, "%s%s", first ? "" : ",", item);
    return HIRL_OK;
}

/* ---- YAML ---- */

static hirl_status yaml_fault(reader *r)
{
    const yaml_parser_t *p = &r->yaml;

    if (p->error == YAML_MEMORY_ERROR)
        return hr_fail(HIRL_E_NOMEM, "out of memory: reading %s", r->path);
    hr_fail(HIRL_E_FORMAT, "%s", p->problem ? p->problem : "not YAML");
    return at_line(HIRL_E_FORMAT, r, p->problem_mark.line + 1);
}

static bool is_decorated(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default:
        return false;
    }
}

/* one event of the YAML parser */
typedef struct event {
    yaml_event_type_t type;
    size_t line;
    bool null;        /* an unquoted scalar that is empty, ~ or null */
    char text[VALUE]; /* value of a scalar */
} event;

static hirl_status take_text(event *e, const yaml_event_t *from)
{
    const char *text = (const char *)from->data.scalar.value;
    size_t length = from->data.scalar.length;

    if (length >= VALUE || strlen(text) != length)
        return hr_fail(HIRL_E_LIMIT,
                       "a text of %zu bytes, or with a zero byte; at most %d bytes are expected",
                       length, VALUE - 1);
    memcpy(e->text, text, length + 1);
    e->null = from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
              (!length || !strcmp(text, "~") || !strcmp(text, "null"));
    return HIRL_OK;
}

static hirl_status next(event *e, reader *r)
{
    hirl_status status = HIRL_OK;
    yaml_event_t raw;

    if (!yaml_parser_parse(&r->yaml, &raw))
        return yaml_fault(r);
    e->type = raw.type;
    e->line = raw.start_mark.line + 1;
    if (is_decorated(&raw))
        status = hr_fail(HIRL_E_FORMAT, "anchors, aliases and tags are not supported");
    else if (raw.type == YAML_SCALAR_EVENT)
        status = take_text(e, &raw);
    yaml_event_delete(&raw);
    return at_line(status, r, e->line);
}

static hirl_status yaml_list(char value[VALUE], const char *name, reader *r)
{
    bool first = true;
    event e;

    value[0] = '\0';
    for (;; first = false) {
        HR_TRY(next(&e, r));
        if (e.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (e.type != YAML_SCALAR_EVENT || e.null)
            return at_line(
                hr_fail(HIRL_E_FORMAT, "%s: an item of the list is not a number or text", name), r,
                e.line);
        HR_TRY(at_line(join_value(value, e.text, first), r, e.line));
    }
    return first ? at_line(hr_fail(HIRL_E_INVALID, "%s: an empty list", name), r, e.line) : HIRL_OK;
}

static hirl_status yaml_value(reader *r, const char *name)
{
    char value[VALUE];
    event e;

    HR_TRY(next(&e, r));
    if (e.type == YAML_MAPPING_START_EVENT)
        return at_line(refuse_section(name), r, e.line);
    if (e.type == YAML_SEQUENCE_START_EVENT) {
        HR_TRY(yaml_list(value, name, r));
        return at_line(r->fn(name, value, r->arg), r, e.line);
    }
    if (e.null)
        return at_line(hr_fail(HIRL_E_INVALID, "%s: no value is given", name), r, e.line);
    return at_line(r->fn(name, e.text, r->arg), r, e.line);
}

static hirl_status yaml_mapping(reader *r)
{
    event e;

    for (;;) {
        HR_TRY(next(&e, r));
        if (e.type == YAML_MAPPING_END_EVENT)
            return HIRL_OK;
        if (e.type != YAML_SCALAR_EVENT)
            return at_line(hr_fail(HIRL_E_FORMAT, "a key is not text"), r, e.line);
        HR_TRY(at_line(check_name(e.text), r, e.line));
        HR_TRY(yaml_value(r, e.text));
    }
}

static hirl_status yaml_document(reader *r)
{
    event e;

    do
        HR_TRY(next(&e, r));
    while (e.type == YAML_STREAM_START_EVENT || e.type == YAML_DOCUMENT_START_EVENT);
    if (e.type == YAML_STREAM_END_EVENT)
        return HIRL_OK;
    if (e.type == YAML_MAPPING_START_EVENT)
        HR_TRY(yaml_mapping(r));
    else if (e.type != YAML_SCALAR_EVENT || !e.null)
        return at_line(hr_fail(HIRL_E_FORMAT, "lines of key: value are expected"), r, e.line);
    do
        HR_TRY(next(&e, r));
    while (e.type == YAML_DOCUMENT_END_EVENT);
    if (e.type != YAML_STREAM_END_EVENT)
        return at_line(hr_fail(HIRL_E_FORMAT, "a second document begins; one is expected"), r,
                       e.line);
    return HIRL_OK;
}

/* Refuses %TAG at the beginning of a line, whatever characters end the lines: the time that libyaml
 * takes grows with the square of the number of such directives. */
static hirl_status refuse_tag_directives(const reader *r)
{
    size_t line = 1;

    for (const char *at = r->text; *at; at++) {
        bool inside = at > r->text && (at[-1] == '\t' || (at[-1] >= ' ' && at[-1] <= '~'));

        if (!inside && !strncmp(at, "%TAG", 4))
            return at_line(hr_fail(HIRL_E_FORMAT, "%%TAG: tags are not supported"), r, line);
        line += *at == '\n';
    }
    return HIRL_OK;
}

static hirl_status read_yaml(reader *r)
{
    hirl_status status;

    HR_TRY(refuse_tag_directives(r));
    if (!yaml_parser_initialize(&r->yaml))
        return hr_fail(HIRL_E_NOMEM, "out of memory: reading %s", r->path);
    yaml_parser_set_encoding(&r->yaml,
                             YAML_UTF8_ENCODING); /* not UTF-16, whatever the first bytes */
    yaml_parser_set_input_string(&r->yaml, (const unsigned char *)r->text, r->bytes);
    status = yaml_document(r);
    yaml_parser_delete(&r->yaml);
    return status;
}

/* ---- JSON ---- */

/* Finds the line of the first "name" that a colon follows. jansson does not record lines, so this
 * passes through the whole text: only a failure pays for it. */
static size_t line_of(const reader *r, const char *name)
{
    size_t line = 1, length = strlen(name);

    for (const char *at = r->text; *at; at++) {
        if (*at == '\n')
            line++;
        if (*at == '"' && !strncmp(at + 1, name, length) && at[length + 1] == '"' &&
            at[length + 2 + strspn(at + length + 2, " \t\r\n")] == ':')
            return line;
    }
    return 1;
}

/* jansson recurses once per opening bracket, so the depth is limited before it parses */
static hirl_status check_depth(const reader *r)
{
    bool quoted = false;
    int depth = 0;

    for (const char *at = r->text; *at; at++) {
        if (quoted && *at == '\\' && at[1])
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && strchr("{[", *at))
            depth++;
        else if (!quoted && strchr("}]", *at))
            depth--;
        if (depth > DEPTH)
            return hr_fail(HIRL_E_FORMAT, "%s: nested deeper than %d levels", r->path, DEPTH);
    }
    return HIRL_OK;
}

static hirl_status json_text(char text[VALUE], const json_t *value)
{
    if (json_is_string(value) && json_string_length(value) >= VALUE)
        return hr_fail(HIRL_E_LIMIT, "a text of %zu bytes; at most %d are expected",
                       json_string_length(value), VALUE - 1);
    if (json_is_string(value))
        snprintf(text, VALUE, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, VALUE, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        hr_real_text(text, VALUE, json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(text, VALUE, "%s", json_is_true(value) ? "true" : "false");
    else
        return hr_fail(HIRL_E_INVALID, "a number, text, true or false is expected");
    return HIRL_OK;
}

static hirl_status json_list(char text[VALUE], const json_t *list)
{
    char item[VALUE];

    text[0] = '\0';
    if (!json_array_size(list))
        return hr_fail(HIRL_E_INVALID, "an empty list");
    for (size_t i = 0; i < json_array_size(list); i++) {
        HR_TRY(json_text(item, json_array_get(list, i)));
        HR_TRY(join_value(text, item, i == 0));
    }
    return HIRL_OK;
}

static hirl_status json_value(const reader *r, const char *name, const json_t *value)
{
    char text[VALUE];
    hirl_status status;

    HR_TRY(check_name(name));
    if (json_is_object(value))
        return refuse_section(name);
    status = json_is_array(value) ? json_list(text, value) : json_text(text, value);
    return status < 0 ? hr_fail_in(status, name) : r->fn(name, text, r->arg);
}

static hirl_status json_mapping(const reader *r, json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        hirl_status status = json_value(r, key, value);

        if (status < 0)
            return at_line(status, r, line_of(r, key));
    }
    return HIRL_OK;
}

static hirl_status read_json(const reader *r)
{
    hirl_status status;
    json_error_t error;
    json_t *root;

    if (strlen(r->text) != r->bytes)
        return hr_fail(HIRL_E_FORMAT, "%s: the file has a zero byte", r->path);
    HR_TRY(check_depth(r));
    root = json_loadb(r->text, r->bytes, JSON_REJECT_DUPLICATES, &error);
    if (!root && (!error.text[0] || json_error_code(&error) == json_error_out_of_memory))
        return hr_fail(HIRL_E_NOMEM, "out of memory: reading %s", r->path);
    if (!root) {
        hr_fail(HIRL_E_FORMAT, "%s", error.text);
        return at_line(HIRL_E_FORMAT, r, (size_t)error.line);
    }
    if (json_is_object(root))
        status = json_mapping(r, root);
    else
        status = hr_fail(HIRL_E_FORMAT, "%s: an object of \"key\": value is expected", r->path);
    json_decref(root);
    return status;
}

static bool ends_with_json(const char *path)
{
    size_t n = strlen(path);

    return n >= 5 && !strcasecmp(path + n - 5, ".json");
}

hirl_status hr_settings_read(const char *path, hr_settings_fn *fn, void *arg)
{
    reader r = { .path = path, .fn = fn, .arg = arg };
    hirl_status status;
    void *text;

    HR_TRY(hr_file_read(&text, &r.bytes, path, FILE_MAX));
    r.text = text;
    status = ends_with_json(path) ? read_json(&r) : read_yaml(&r);
    hr_free(text);
    return status;
}
