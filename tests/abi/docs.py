#!/usr/bin/env python3
"""docs.py - the public headers document everything that they declare.

Checks of each function (HIRL_API), each callback type (hirl_*_fn) and each struct of include/hirl:

    a comment stands directly above every function, callback type and struct
    a function's comment has its thread class ("Threads: ...", one of THREADS) and its first version ("Since ...")
    every parameter has a @param with its direction; every @param is a parameter
    every result has a @return; a hirl_status instead names its errors with @retval, or with
    "Errors: as hirl_...()" where another function documents the same ones
    every @retval, and every other HIRL_E_ name, is a status of status.h
    every field of a struct has a comment
    every pointer - parameter, result or field - is described as "[shape] dtype, owner", the grammar that is
    explained at the head of hirl.h; its dtype and direction agree with its C type

Checks of the grammar of lib/ABI.md:

    a struct begins with size_t struct_size; a callback takes void *user last
    numbers have one of the types VALUES; outputs come before inputs
    every constant of the statuses has a comment

Checks of a whole header that declares functions:

    at least SHARE of its characters, white space not counted, lie in comments

Checks of all headers together:

    their functions are exactly those of lib/libhirl.map

    bindings/api.json and bindings/hirl.ffi.h, which are made from them, are up to date

usage: docs.py ROOT           prints one line per fault; exit status 1 if there is any
       docs.py --write ROOT   writes the two files
       docs.py --self-test    checks that each of these checks can fail
"""
import pathlib
import re
import sys

import binders
from declarations import declarations_of, enums_of, is_pointer, tags_of

SHARE = 0.7
THREADS = r'Threads: (safe|exclusive|one call per (options|trainer|data set) at a time)\b'

# ---- the grammar of pointers: [shape] dtype, owner ----

SHAPE = r'\[[^\[\]]*\]'
DTYPES = {'char': 'char', 'uint8_t': 'uint8', 'int32_t': 'int32', 'int64_t': 'int64', 'size_t': 'size',
          'float': 'float32', 'double': 'float64', 'void': 'bytes'}
NUMBERS = set(DTYPES.values()) - {'bytes'}
HANDLES = {'hirl_context', 'hirl_options', 'hirl_dataset', 'hirl_model', 'hirl_trainer', 'hirl_tree',
           'hirl_stop'}
VALUES = {'int32_t', 'int64_t', 'uint64_t', 'size_t', 'double', 'hirl_status', 'void'}
EVENT = r'[\w(][^;:.]*'
OWNERS = {  # phrase -> directions of a parameter that it fits
    'caller-owned, read during the call': ['in'],
    'caller-owned, used during the call': ['in'],
    'caller-owned, updated during the call': ['in,out'],
    'caller-owned, written on success': ['out'],
    'caller-owned, written during the call': ['out'],
    'caller-owned, kept until ' + EVENT: ['in'],
    'caller-owned, shared until ' + EVENT: ['in'],
    'caller-owned, released by the call': ['in'],
    r'new, released with (\w+)\(\)': ['out'],
    'library-owned, valid until ' + EVENT: ['in'],
    'library-owned, updated by the callback': ['in,out'],
    'library-owned, written by the callback': ['out'],
}


def base_of(c_type):
    """'const float *const *' -> 'float'"""
    return re.sub(r'\bconst\b|\*', ' ', c_type).strip()


def dtype_of(c_type):
    base = base_of(c_type)
    if base.endswith('_fn') or base == 'function':
        return 'function'
    if base in HANDLES:
        return 'handle'
    return DTYPES.get(base, 'struct')


def pointer_fault(c_type, text, direction=None):
    """why `text` is not a description of a pointer of this C type; '' when it is one"""
    match = re.match(rf'{SHAPE} (?:pointers to {SHAPE} )?(\w+), ', text)
    if not match:
        return 'is not described as "[shape] dtype, owner"'
    if match.group(1) != dtype_of(c_type):
        return f'has dtype {match.group(1)}; its C type {c_type} has {dtype_of(c_type)}'
    rest = text[match.end():]
    for phrase, directions in OWNERS.items():
        owner = re.match(phrase + r'(?=[;:.]|$)', rest)
        if not owner:
            continue
        if direction and direction not in directions:
            return f'is @param[{direction}], but "{owner.group(0)}"'
        if direction and direction != 'in' and re.match(r'const\b[^*]*\*$', c_type):
            return f'is const, but @param[{direction}]'
        if direction == 'in' and 'const' not in c_type and match.group(1) in NUMBERS:
            return 'is not const, but @param[in]'
        return ''
    return f'has no known owner: "{rest[:50]}"'


# ---- checks ----

def check_parameters(declaration, documented):
    real = [name for _, name in declaration.items]
    for name in documented:
        if name not in real:
            yield f'@param {name} is no parameter'
    for c_type, name in declaration.items:
        if name not in documented:
            yield f'no @param[in], [out] or [in,out] {name}'
            continue
        direction, text = documented[name]
        why = pointer_fault(c_type, text, direction) if is_pointer(c_type) else ''
        if why:
            yield f'{name} {why}'


def check_result(declaration, comment, result, statuses):
    c_type = declaration.result
    if c_type == 'hirl_status':
        if not any(status.startswith('HIRL_E_') for status, _ in statuses) and \
                not re.search(r'^Errors: as hirl_\w+\(\)', comment, flags=re.M):
            yield 'returns a status; no @retval names an error'
    elif c_type != 'void' and result is None:
        yield f'returns {c_type}; there is no @return'
    elif is_pointer(c_type):
        why = pointer_fault(c_type, result)
        if why:
            yield f'the result {why}'


def check_grammar(declaration, documented):
    for c_type, name in [*declaration.items, (declaration.result, 'the result')]:
        if not is_pointer(c_type) and c_type not in VALUES:
            yield f'{name} has type {c_type}; {", ".join(sorted(VALUES))} are the types of numbers'
    if declaration.kind == 'callback' and (not declaration.items or declaration.items[-1] != ('void *', 'user')):
        yield 'a callback takes void *user last'
    directions = [documented[name][0] for _, name in declaration.items if name in documented]
    if 'in' in directions and 'out' in directions[directions.index('in'):]:
        yield 'an output comes after an input'


def check_struct(declaration):
    if not declaration.items or declaration.items[0][:2] != ('size_t', 'struct_size'):
        yield 'its first field is not size_t struct_size'
    for c_type, names, comment in declaration.items:
        if not comment:
            yield f'field {names} has no comment'
        elif is_pointer(c_type):
            why = pointer_fault(c_type, ' '.join(comment.split()))
            if why:
                yield f'field {names} {why}'


def check_declaration(declaration, known):
    if not declaration.comment:
        yield 'has no comment directly above'
    if declaration.kind == 'struct':
        yield from check_struct(declaration)
        return
    if declaration.kind == 'callback' and not declaration.name.endswith('_fn'):
        yield 'the name of a callback type ends with _fn'
    comment = declaration.comment
    documented, result, statuses = tags_of(comment)
    yield from check_parameters(declaration, documented)
    yield from check_result(declaration, comment, result, statuses)
    yield from check_grammar(declaration, documented)
    for status in re.findall(r'\bHIRL_(?:E_\w+|OK|DONE)\b', comment):
        if status not in known:
            yield f'{status} is no status of status.h'
    if declaration.kind == 'function' and not re.search(THREADS, comment):
        yield 'no thread class ("Threads: ...")'
    if declaration.kind == 'function' and not re.search(r'\bSince \d+\.\d+\.', comment):
        yield 'no first version ("Since 0.1.")'
    for name in re.findall(r'released with (\w+)\(\)', comment):
        if not re.match(r'hirl_(\w+_destroy|free)$', name):
            yield f'{name}() releases nothing'


def share_of_comments(text):
    def count(piece):
        return len(re.sub(r'\s', '', piece))
    return sum(count(comment) for comment in re.findall(r'/\*.*?\*/', text, flags=re.S)) / max(1, count(text))


def check(headers, exported):
    """headers: {path: text}; exported: names of the version script -> (faults, number of functions)"""
    faults, declared = [], set()
    known = set(name for text in headers.values() for _, constants, _ in enums_of(text) for name, _, _ in constants)
    for path, text in headers.items():
        functions = 0
        faults += [f'{path}: {constant} has no comment' for name, constants, _ in enums_of(text) if name
                   for constant, _, comment in constants if not comment]
        for declaration in declarations_of(text):
            where = f'{path}:{declaration.line}: {declaration.name}: '
            faults += [where + fault for fault in check_declaration(declaration, known)]
            if declaration.kind == 'function':
                declared.add(declaration.name)
                functions += 1
        if functions and share_of_comments(text) < SHARE:
            faults.append(f'{path}: {share_of_comments(text):.2f} of its characters are comment, below {SHARE}')
    faults += [f'lib/libhirl.map: {name} is declared and not exported' for name in sorted(declared - exported)]
    faults += [f'lib/libhirl.map: {name} is exported and not declared' for name in sorted(exported - declared)]
    return faults, len(declared)


# ---- the checks checked: a header without a fault, and one change of it for each fault ----

GOOD = '''/** @file toy.h - a header without a fault. */
/** The statuses, and what each means for the application that gets one of them from a function. */
enum hirl_status_code {
    /** The call has done all that its description promises to do. */
    HIRL_OK = 0,
    /** The operating system could not read or write a file. */
    HIRL_E_IO = -3
};
/** What a record is. It is filled by hirl_toy_make() and stays the property of the caller, as every struct here does. */
typedef struct hirl_toy {
    size_t struct_size; /**< bytes of the struct, set by the caller before the call; later versions append fields */
    const char *name; /**< [] char, library-owned, valid until the process ends: "toy" */
    void (*end)(void *token); /**< [1] function, caller-owned, kept until it was called; NULL: none */
    /** numbers of the record, one per level, in the order of the levels */
    double x[8], y;
} hirl_toy;
/** Receives a line of text. It must return soon, and it must not call the library again in any way whatever.
 * @param[in] text  [] char, library-owned, valid until the callback returns
 * @param[in] level how serious the line is, from 1 to 4, the most serious being 1
 * @param[in] user  [any] bytes, caller-owned, kept until another function is set
 */
typedef void hirl_toy_fn(const char *text, int32_t level, void *user);
/**
 * Makes a tree of rows, the n rows of d columns each. Nothing is changed when it fails.
 *
 * @param[out] tree    [1] handle, new, released with hirl_tree_destroy(); NULL on failure
 * @param[in]  row     [n, d] float32, caller-owned, read during the call
 * @param[in]  list    [n] pointers to [] char, caller-owned, read during the call; NULL: none
 * @param[in]  log     [1] function, caller-owned, kept until another one
 *                     takes its place
 * @param[in,out] info [1] struct, caller-owned, updated during the call
 * @param[in]  n       rows, from 1
 *
 * @retval HIRL_E_IO  the disk does not answer
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_toy_make(hirl_tree **tree, const float *row, const char *const *list,
                                                  hirl_toy_fn *log, hirl_toy *info, int64_t n);
/** Name of a toy, as it was given when the toy was made, in the words of the maker.
 * @param[in] index  of the toy, from 0
 * @return [] char, library-owned, valid until the process ends
 *
 * Threads: one call per trainer at a time. Since 0.1. */
HIRL_API const char *hirl_toy_name(int32_t index);
'''
BROKEN = [  # text, its replacement, a part of the fault that must be found
    ('/** Name of a toy, as', '/* Name of a toy, as', 'hirl_toy_name: has no comment directly above'),
    ('/** Receives', '/* Receives', 'hirl_toy_fn: has no comment directly above'),
    ('typedef void hirl_toy_fn(', 'typedef void hirl_toy_call(', 'hirl_toy_call: the name of a callback type'),
    ('/** What a record is', '/* What a record is', 'hirl_toy: has no comment directly above'),
    ('Threads: safe.', '', 'no thread class'),
    ('Threads: safe.', 'Threads: perhaps.', 'no thread class'),
    ('at a time. Since 0.1.', 'at a time.', 'no first version'),
    (' * @param[in]  n       rows, from 1\n', '', 'no @param[in], [out] or [in,out] n'),
    ('@param[in]  n ', '@param n ', 'no @param[in], [out] or [in,out] n'),
    ('@param[in] index', '@param[in] place', '@param place is no parameter'),
    ('@param[in] level how', '@param[in] depth how', 'no @param[in], [out] or [in,out] level'),
    ('@retval HIRL_E_IO', '@see HIRL_E_IO', 'no @retval names an error'),
    ('@retval HIRL_E_IO', '@retval HIRL_E_I0', 'HIRL_E_I0 is no status'),
    ('@return [] char', '[] char', 'there is no @return'),
    ('@return [] char, library-owned', '@return the name, library-owned', 'the result is not described'),
    ('[n, d] float32, caller-owned, read during the call', 'n x d floats, read only',
     'row is not described as "[shape] dtype, owner"'),
    ('[n, d] float32', '[n, d] float64', 'row has dtype float64; its C type const float * has float32'),
    ('[n, d] float32, caller-owned, read during', '[n, d] float32, caller-owned, seen during', 'row has no known owner'),
    ('[n, d] float32, caller-owned, read during the call', '[n, d] float32, caller-owned, written on success',
     'row is @param[in], but'),
    ('@param[out] tree ', '@param[in] tree ', 'tree is @param[in], but'),
    ('hirl_toy_fn *log, hirl_toy *info', 'hirl_toy_fn *log, const hirl_toy *info', 'info is const, but'),
    ('hirl_tree **tree, const float *row', 'hirl_tree **tree, float *row', 'row is not const, but'),
    ('hirl_tree_destroy()', 'hirl_tree_end()', 'hirl_tree_end() releases nothing'),
    ('[n] pointers to [] char', '[n] strings of char', 'list is not described'),
    ('kept until another one\n *                     takes its place', 'kept', 'log has no known owner'),
    ('[] char, library-owned, valid until the callback', 'the line, valid until the callback', 'text is not described'),
    ('/**< [] char, library-owned, valid until the process ends: "toy" */', '/**< "toy" */',
     'field name is not described'),
    ('/**< [1] function, caller-owned, kept until it was called; NULL: none */', '/**< called at the end, or NULL */',
     'field end is not described'),
    ('    /** numbers of the record, one per level, in the order of the levels */\n', '',
     'field x[8], y has no comment'),
    ('size_t struct_size;', 'size_t size;', 'first field is not size_t struct_size'),
    ('int32_t level, void *user', 'int32_t level, void *data', 'takes void *user last'),
    ('int32_t level, void *user', 'long level, void *user', 'level has type long'),
    ('hirl_toy *info, int64_t n);', 'hirl_toy *info, float n);', 'n has type float'),
    ('hirl_tree **tree, const float *row, const', 'const float *row, hirl_tree **tree, const', 'comes after an input'),
    ('    /** The operating system could not read or write a file. */\n', '', 'HIRL_E_IO has no comment'),
    ('/** What', 'int code;' * 200 + '\n/** What', 'of its characters are comment'),
    ('hirl_toy_name(int32_t', 'hirl_toy_called(int32_t', 'hirl_toy_called is declared and not exported'),
    ('hirl_toy_name(int32_t', 'hirl_toy_called(int32_t', 'hirl_toy_name is exported and not declared'),
]


def self_test():
    exported = {'hirl_toy_make', 'hirl_toy_name'}
    faults = ['a good header: ' + fault for fault in check({'toy.h': GOOD}, exported)[0]]
    for old, new, expected in BROKEN:
        if GOOD.count(old) < 1:
            faults.append(f'self-test: {old!r} is not in the good header')
        found = check({'toy.h': GOOD.replace(old, new, 1)}, exported)[0]
        if not any(expected in fault for fault in found):
            faults.append(f'self-test: {old!r} -> {new!r}: expected "{expected}", found {found}')
    print('\n'.join(faults + [f'{len(BROKEN)} broken headers, {len(faults)} faults']))
    return 1 if faults else 0


def main():
    if sys.argv[1] == '--self-test':
        return self_test()
    root = pathlib.Path(sys.argv[-1])
    headers = {str(path.relative_to(root)): path.read_text() for path in sorted((root / 'include/hirl').glob('*.h*'))}
    exported = set(re.findall(r'^ +(hirl_\w+);', (root / 'lib/libhirl.map').read_text(), flags=re.M))
    faults, functions = check(headers, exported)
    for path, content in {} if faults else binders.files_of(headers, OWNERS).items():
        if sys.argv[1] == '--write':
            (root / path).write_text(content)
        elif not (root / path).exists() or (root / path).read_text() != content:
            faults.append(f'{path}: not what the headers give; run tests/abi/docs.py --write .')
    print('\n'.join(faults + [f'{functions} functions, {len(faults)} faults']))
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
