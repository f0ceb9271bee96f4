/* cluster_config.c - the keys of clustering. */
#include "hier/cluster_config.h"

#include "hier/paths.h"

#define FIELD(name) offsetof(hr_cluster_config, name)
static const hr_key keys[] = {
    { "prototypes", HR_KEY_LIST, "auto", 1, 1e9, NULL, true, "prototypes",
      "prototypes of each level, leaves first, strictly falling; auto: the paper's numbers scaled "
      "to the number of images; below 12,800 images one leaf for 15 of them, up to 300",
      FIELD(prototypes) },
    { "kmeans_iterations", HR_KEY_INT, "20", 1, 100000, NULL, false, "iterations",
      "Lloyd iterations of each pass of k-means", FIELD(kmeans_iterations) },
    { "kmeans_redo", HR_KEY_INT, "5", 1, 1000, NULL, false, "runs",
      "passes of k-means from different first rows; the best one is kept", FIELD(kmeans_redo) },
    { "kmeans_seed", HR_KEY_INT, "0", 0, 9007199254740992.0, NULL, false, "",
      "seed of the random choices of k-means", FIELD(kmeans_seed) },
    { "kmeans_between", HR_KEY_CHOICE, "auto", 0, 0, "auto raw unit", false, "",
      "centroids that the next level clusters; raw: as they are; unit: scaled to unit length; "
      "auto: raw in profile paper, unit in profile reference",
      FIELD(kmeans_between) },
    { "kmeans_max_points", HR_KEY_INT, "1000", 1, 1e9, NULL, false, "images",
      "images a prototype above which a random subset moves the prototypes",
      FIELD(kmeans_max_points) },
    { "warm", HR_KEY_FLAG, "1", 0, 0, NULL, false, "",
      "1: start each level from the previous tree's centroids if it has as many", FIELD(warm) },
    { "normalize", HR_KEY_FLAG, "1", 0, 0, NULL, false, "",
      "1: scale features to unit length first", FIELD(normalize) },
    { "profile", HR_KEY_CHOICE, "paper", 0, 0, "paper reference", false, "",
      "paper: what the paper states; reference: what the authors' program does", FIELD(profile) },
};
const hr_keys hr_cluster_keys = { "cluster", keys, sizeof keys / sizeof *keys };

bool hr_kmeans_unit_between(const hr_cluster_config *config)
{
    if (config->kmeans_between == HR_BETWEEN_AUTO)
        return config->profile == HR_PROFILE_REFERENCE;
    return config->kmeans_between == HR_BETWEEN_UNIT;
}
