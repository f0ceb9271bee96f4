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

Checks of a whole header that declares functions:

    at least SHARE of its characters, white space not counted, lie in comments

Checks of all headers together:

    their functions are exactly those of lib/libhirl.map

usage: docs.py ROOT           prints one line per fault; exit status 1 if there is any
       docs.py --self-test    checks that each of these checks can fail
"""
import pathlib
import re
import sys

SHARE = 0.7
THREADS = r'Threads: (safe|exclusive|one call per (context|options|trainer|data set) at a time)\b'

# ---- the grammar of pointers: [shape] dtype, owner ----

SHAPE = r'\[[^\[\]]*\]'
DTYPES = {'char': 'char', 'uint8_t': 'uint8', 'int32_t': 'int32', 'int64_t': 'int64', 'size_t': 'size',
          'float': 'float32', 'double': 'float64', 'void': 'bytes'}
NUMBERS = set(DTYPES.values()) - {'bytes'}
HANDLES = {'hirl_context', 'hirl_options', 'hirl_dataset', 'hirl_model', 'hirl_trainer', 'hirl_tree',
           'hirl_stop'}
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


# ---- reading a header ----

class Declaration:
    """a function, a callback type or a struct, with the text of the comment above it"""

    def __init__(self, kind, name, line, comment, result='', items=()):
        self.kind, self.name, self.line, self.comment = kind, name, line, comment
        self.result, self.items = result, items  # items: (C type, name[, comment of a field])


def text_of(comment):
    """the words of a comment, without its frame; lines are kept"""
    lines = re.sub(r'^/\*\*?<?|\*/$', '', comment).split('\n')
    return '\n'.join(re.sub(r'^\s*\* ?', '', line).strip() for line in lines).strip()


def is_pointer(c_type):
    return '*' in c_type or c_type == 'function'


def parameters_of(text):
    """'const float *x, int64_t n' -> [('const float *', 'x'), ('int64_t', 'n')]"""
    found = []
    for one in text.split(','):
        one = ' '.join(one.split())
        match = re.match(r'(.*?[\s*])(\w+)$', one)
        if match and one != 'void':
            found.append((match.group(1).strip(), match.group(2)))
    return found


def fields_of(body):
    """-> [(C type, names, comment)], a line of the struct each"""
    found = []
    field = re.compile(r'(?P<above>/\*\*(?!<).*?\*/)?\s*(?P<code>[^;/]+);\s*(?P<behind>/\*\*<.*?\*/)?', re.S)
    for match in field.finditer(body):
        code, comment = ' '.join(match.group('code').split()), match.group('behind') or match.group('above') or ''
        function = re.match(r'\w+ \(\*(\w+)\)\(.*\)$', code)
        if function:
            found.append(('function', function.group(1), text_of(comment)))
            continue
        plain = re.match(r'((?:const )?\w+(?: \*(?:const \*)?| ))(.*)$', code)
        found.append((plain.group(1).strip(), plain.group(2), text_of(comment)))
    return found


def enums_of(text):
    """-> (name or '', [(constant, value, comment)])"""
    for match in re.finditer(r'^enum(?: (\w+))? \{(.*?)\};', text, flags=re.S | re.M):
        constant = re.compile(r'(?P<comment>/\*\*(?:(?!\*/).)*\*/)?\s*(?P<name>HIRL_\w+) = (?P<value>-?\d+)', re.S)
        yield match.group(1) or '', [(one.group('name'), int(one.group('value')), text_of(one.group('comment') or ''))
                                     for one in constant.finditer(match.group(2))]


TOKEN = re.compile(r'''(?P<comment>/\*.*?\*/)
    | typedef\s+struct\s+(?P<struct>\w+)\s*\{(?P<body>.*?)\}\s*\w+;
    | typedef\s+(?P<back>[\w\s*]+?)(?P<callback>hirl_\w+)\s*\((?P<gets>[^;]*)\);
    | HIRL_API\s+(?P<result>[\w\s*]+?)(?P<function>hirl_\w+)\s*\((?P<takes>[^;]*)\);''', re.S | re.X)


def declarations_of(text):
    comment, end = '', 0
    for match in TOKEN.finditer(text):
        above = comment if not text[end:match.start()].strip() and '\n\n' not in text[end:match.start()] else ''
        line, end, comment = text.count('\n', 0, match.start()) + 1, match.end(), ''
        if match.group('comment'):
            comment = text_of(match.group('comment')) if match.group('comment').startswith('/**') else ''
        elif match.group('struct'):
            yield Declaration('struct', match.group('struct'), line, above, items=fields_of(match.group('body')))
        elif match.group('callback'):
            yield Declaration('callback', match.group('callback'), line, above, ' '.join(match.group('back').split()),
                              parameters_of(match.group('gets')))
        else:
            result = ' '.join(match.group('result').replace('HIRL_NODISCARD', '').split())
            yield Declaration('function', match.group('function'), line, above, result,
                              parameters_of(match.group('takes')))


def tags_of(comment):
    """-> ({parameter: (direction, text)}, text of @return or None, [statuses of @retval])"""
    parameters, result, statuses = {}, None, []
    for tag in re.findall(r'^@(.*?)(?=\n\n|\n@|\n(?:Threads|Since|Errors):?\s|\Z)', comment, flags=re.S | re.M):
        text = ' '.join(tag.split())
        parameter = re.match(r'param\[([\w,]+)\] (\w+) (.*)', text)
        if parameter:
            parameters[parameter.group(2)] = (parameter.group(1), parameter.group(3))
        elif text.startswith('return '):
            result = text[len('return '):]
        elif text.startswith('retval '):
            statuses += re.findall(r'HIRL_\w+', text)
    return parameters, result, statuses


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
        if not any(status.startswith('HIRL_E_') for status in statuses) and \
                not re.search(r'^Errors: as hirl_\w+\(\)', comment, flags=re.M):
            yield 'returns a status; no @retval names an error'
    elif c_type != 'void' and result is None:
        yield f'returns {c_type}; there is no @return'
    elif is_pointer(c_type):
        why = pointer_fault(c_type, result)
        if why:
            yield f'the result {why}'


def check_struct(declaration):
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
    known = set(name for text in headers.values() for _, constants in enums_of(text) for name, _, _ in constants)
    for path, text in headers.items():
        functions = 0
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
    size_t size;      /**< bytes of the struct, set by the caller before the call; later versions append fields */
    const char *name; /**< [] char, library-owned, valid until the process ends: "toy" */
    void (*end)(void *token); /**< [1] function, caller-owned, kept until it was called; NULL: none */
    /** numbers of the record, one per level, in the order of the levels */
    double x[8], y;
} hirl_toy;
/** Receives a line of text. It must return soon, and it must not call the library again in any way whatever.
 * @param[in] text  [] char, library-owned, valid until the callback returns
 * @param[in] level how serious the line is, from 1 to 4, the most serious being 1
 */
typedef void hirl_toy_fn(const char *text, int32_t level);
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
 * Threads: one call per context at a time. Since 0.1. */
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
    root = pathlib.Path(sys.argv[1])
    headers = {str(path.relative_to(root)): path.read_text() for path in sorted((root / 'include/hirl').glob('*.h*'))}
    exported = set(re.findall(r'^ +(hirl_\w+);', (root / 'lib/libhirl.map').read_text(), flags=re.M))
    faults, functions = check(headers, exported)
    print('\n'.join(faults + [f'{functions} functions, {len(faults)} faults']))
    return 1 if faults else 0


sys.exit(main())
