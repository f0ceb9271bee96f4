/* settings.c - scenarios with contexts and options. */
#include "oom/world.h"

static hirl_status context_made(world *w)
{
    hirl_context *context = NULL;
    hirl_status status = hirl_context_create(&context, w->small.options);

    hirl_context_destroy(context);
    return status;
}

static void settings_written(world *w)
{
    static const char yaml[] = "data: photos\nbatch_size: 16\nprototypes: [80, 20]\n";
    static const char json[] =
        "{\"batch_size\": 16, \"prototypes\": [80, 20], \"arch\": \"resnet34\"}";

    hr_world_write(w, "a.yaml", yaml, sizeof yaml - 1);
    hr_world_write(w, "a.json", json, sizeof json - 1);
}

static hirl_status options_filled(world *w)
{
    hirl_options *options = NULL;
    hirl_status status = hirl_options_create(&options);

    if (status >= 0)
        status = hirl_options_load(options, hr_world_path(w, "a.yaml"));
    if (status >= 0)
        status = hirl_options_load(options, hr_world_path(w, "a.json"));
    if (status >= 0)
        status = hirl_options_preset(options, "hirl-mocov2");
    if (status >= 0)
        status = hirl_options_set(options, "prototypes", "9,3");
    if (status >= 0)
        status = hirl_options_set_real(options, "lr", 0.25);
    hirl_options_destroy(options);
    return status;
}

static const scenario scenario_of[] = {
    { "a context is created", hr_world_nothing, context_made, NULL },
    { "options are filled from YAML, JSON, preset and calls", settings_written, options_filled,
      NULL },
};
const scenario_list hr_settings_scenarios = { scenario_of,
                                              sizeof scenario_of / sizeof *scenario_of };
