#!/bin/sh
# newick-underscore.sh - DendroPy reads the Newick name img_001 as "img 001"; Biopython and TreeSwift keep the underscore
#
# Seen with DendroPy 5.1.3, Biopython 1.88, TreeSwift 1.1.51. Newick's rules let an underscore in a name without quotes stand for a
# blank; only DendroPy applies them. A join of leaf names with file names then finds nothing, without an error.
# Names of inner nodes change too. Remedy: preserve_underscores=True, or quoted names, which all three read alike.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action ignore --only-binary :all: --target "$work" dendropy==5.1.3 biopython==1.88 numpy==2.4.6
python3 -m pip install -q --root-user-action ignore --target "$work" treeswift==1.1.51
PYTHONPATH=$work python3 - <<'PROGRAM'
import importlib.metadata
import io

import dendropy
import treeswift
from Bio import Phylo

TEXT = "((img_001:1,'img_002':1)l1_0:1,img_003:2)root;"


def with_dendropy(**options):
    tree = dendropy.Tree.get(data=TEXT, schema="newick", **options)
    return sorted(leaf.taxon.label for leaf in tree.leaf_nodes())


readers = {
    "dendropy": with_dendropy(),
    "biopython": sorted(leaf.name for leaf in Phylo.read(io.StringIO(TEXT), "newick").get_terminals()),
    "treeswift": sorted(leaf.label for leaf in treeswift.read_tree_newick(TEXT).traverse_leaves()),
}
print(TEXT)
for name, found in readers.items():
    print("%-10s %-7s %s" % (name, importlib.metadata.version(name), found))
print("dendropy, preserve_underscores=True: %s" % with_dendropy(preserve_underscores=True))
kept = ["img_001", "img_002", "img_003"]
assert readers["dendropy"] == ["img 001", "img 003", "img_002"]
assert readers["biopython"] == readers["treeswift"] == kept
assert with_dendropy(preserve_underscores=True) == kept
PROGRAM
