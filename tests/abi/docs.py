#!/usr/bin/env python3
"""docs.py - the public headers document what they declare.

    every HIRL_API function has a comment with "Since" and its thread class "Threads"
    (functions in consecutive lines share the comment above the first)
    the comment of a function that returns a status names its errors and each of its parameters, or says
    "As hirl_...()" of a function that does
    every @param is a parameter of a function below; a comment with @param has all of them
    every @retval is a status of status.h
    the functions of the headers are those of lib/libhirl.map

usage: docs.py ROOT
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
faults = []
exported = set(re.findall(r'^ +(hirl_\w+);', (root / 'lib/libhirl.map').read_text(), flags=re.M))
statuses = set('HIRL_' + s for s in re.findall(r'\bS\((\w+), -?\d+,', (root / 'include/hirl/status.h').read_text()))
declared = set()


def parameters(arguments):
    names = set()
    for argument in re.sub(r'\([^()]*\)', '', arguments).split(','):
        name = re.search(r'(\w+)\s*(?:\[\w*\])?\s*$', argument.strip())
        if name and argument.strip() != 'void':
            names.add(name.group(1))
    return names


# the object that a call is about needs no word of its own
SUBJECTS = {'context', 'options', 'model', 'tree', 'dataset', 'trainer', 'report'}


def check_status(fault, comment, real):
    if re.search(r'\bAs hirl_\w+\(\)', comment):
        return
    if not re.search(r'@retval[^@]*HIRL_E_', comment):
        fault('returns a status; the comment names no error (@retval)')
    words = set(re.findall(r'\w+', comment))
    for name in sorted(real - SUBJECTS - words):
        fault(f'the comment does not name {name}')


def check_function(path, line, name, arguments, comment, returns):
    def fault(text):
        faults.append(f'{path}:{line}: {name}: {text}')

    declared.add(name)
    if not comment:
        fault('has no comment')
        return
    for word in ('Since ', 'Threads: '):
        if word not in comment:
            fault(f'the comment does not say "{word.strip()}"')
    for status in re.findall(r'\bHIRL_(?:E_\w+|OK|DONE)\b', comment):
        if status not in statuses:
            fault(f'{status} is no status')
    documented = set(re.findall(r'@param(?:\[out\])?\s+(\w+)', comment))
    real = parameters(arguments)
    for extra in sorted(documented - real):
        fault(f'@param {extra} is no parameter')
    if 'hirl_status' in returns:
        check_status(fault, comment, real)
    missing = real - documented - SUBJECTS
    if documented and missing:
        fault(f'no @param for {", ".join(sorted(missing))}')


for header in sorted((root / 'include/hirl').glob('*.h*')):
    path = str(header.relative_to(root))
    text = header.read_text()
    comment, end = '', 0
    token = re.compile(r'/\*\*.*?\*/|\bHIRL_API\b[^;{]*?\b(hirl_\w+)\s*\(((?:[^()]|\([^()]*\))*)\)\s*;|typedef[^;]*;', re.S)
    for match in token.finditer(text):
        piece = match.group(0)
        if piece.startswith('/**<'):
            continue
        if piece.startswith('/**'):
            comment = piece
        elif match.group(1):
            between = text[end:match.start()]
            if '\n\n' in between:
                comment = ''
            check_function(path, text.count('\n', 0, match.start()) + 1, match.group(1), match.group(2), comment,
                           piece[:match.start(1) - match.start()])
        end = match.end()

for name in sorted(declared - exported):
    faults.append(f'lib/libhirl.map: {name} is declared and not exported')
for name in sorted(exported - declared):
    faults.append(f'lib/libhirl.map: {name} is exported and not declared')
print('\n'.join(faults + [f'{len(declared)} functions, {len(faults)} faults']))
sys.exit(1 if faults else 0)
