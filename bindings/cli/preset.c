/* preset.c - the preset of a run that names none. */
#include "preset.h"

#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "messages.h"

static bool is_preset(const char *name)
{
    for (int32_t i = 0; i < hirl_preset_count(); i++)
        if (!strcmp(hirl_preset_name(i), name))
            return true;
    return false;
}

int cli_default_preset(cli_session *session)
{
    const char *preset = session->verb->preset;
    char small[128];

    if (!preset)
        return CLI_OK;
    if (cli_is_typed(session, "preset") && !*hirl_options_get(session->options, "preset"))
        return cli_error(session, CLI_USAGE, "preset= is empty; 'hirl methods' lists the presets");
    if (hirl_options_origin(session->options, "preset") > 0)
        return CLI_OK;
    snprintf(small, sizeof small, "hirl-%.100s-small",
             hirl_options_get(session->options, "method"));
    if (hirl_options_origin(session->options, "method") > 0 && is_preset(small))
        preset = small;
    cli_note(session,
             "preset=%s (default): trains within minutes, without a GPU; "
             "preset=%.*s has the paper's values",
             preset, (int)(strlen(preset) - strlen("-small")), preset);
    return cli_check(session, hirl_options_preset(session->options, preset));
}
