#!/bin/sh
# newick-case.sh - DendroPy refuses a tree whose leaf names differ by upper and lower case only
#
# Seen with DendroPy 5.1.3; Biopython 1.88 reads the same tree. DendroPy compares names without case unless told otherwise, and
# reports a.jpg beside A.jpg as a duplicate. Remedy: case_sensitive_taxon_labels=True.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install -q --root-user-action ignore --only-binary :all: --target "$work" dendropy==5.1.3 biopython==1.88 numpy==2.4.6
PYTHONPATH=$work python3 - <<'PROGRAM'
import importlib.metadata
import io

import dendropy
from Bio import Phylo
from dendropy.dataio.newickreader import NewickReader

TEXT = "(A.jpg,a.jpg,b.jpg);"


def with_dendropy(**options):
    tree = dendropy.Tree.get(data=TEXT, schema="newick", **options)
    return [leaf.taxon.label for leaf in tree.leaf_nodes()]


print(TEXT)
try:
    refused = with_dendropy()
except NewickReader.NewickReaderDuplicateTaxonError as error:
    refused = type(error).__name__
sensitive = with_dendropy(case_sensitive_taxon_labels=True)
biopython = [leaf.name for leaf in Phylo.read(io.StringIO(TEXT), "newick").get_terminals()]
print("dendropy", importlib.metadata.version("dendropy"), refused)
print("dendropy, case_sensitive_taxon_labels=True:", sensitive)
print("biopython", importlib.metadata.version("biopython"), biopython)
assert refused == "NewickReaderDuplicateTaxonError"
assert sensitive == biopython == ["A.jpg", "a.jpg", "b.jpg"]
PROGRAM
