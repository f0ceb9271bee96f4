#!/usr/bin/env python3
"""house.py - checks the repository's own coding rules.

    layers     which folder may include headers of which (MAY)
    calls      functions that a library must not call (BANNED); heap memory only through lib/base/alloc.c
    memory     no host access to tensor memory outside cpu/ and cuda/
    heads      the first line of each file states its name and purpose
    length     functions have at most 60 lines, except kernels; lines have at most 100 columns
    gradients  each operation with a backward has a case in tests/grad/test_ops.c
    methods    lib/ssl contains no key or term of the hierarchy (they belong to lib/config/hierarchy.c)
    circles    files do not depend on each other in a circle
    parts      which files may touch which part of a training run (PARTS, PROGRESS_WRITERS)
    transfers  inside a step nothing is sent to or read from the device, and nothing waits (TRANSFERS)
    comments   they are sentences or terms of the field, and refer only to what is in the repository
    paths      every file and folder that lib/README.md names exists
    left-over  no disabled code

usage: house.py ROOT          prints one line for each fault; exits with status 1 if there are any
"""
import pathlib
import re
import sys

# folder of a file: the folders whose headers it may include, besides its own
BELOW_TRAIN = ['task', 'config', 'step', 'ssl', 'hier', 'nn', 'data', 'tape', 'lib', 'base']
MAY = {
    'base': ['lib'],
    'lib': ['base'],
    'cpu': ['lib', 'base'],
    'cuda': ['lib'],
    'tape': ['lib', 'base'],
    'nn': ['tape', 'lib', 'base'],
    'hier': ['lib', 'base'],
    'data': ['lib', 'base'],
    'ssl': ['nn', 'tape', 'lib', 'base'],
    'detect': ['nn', 'tape', 'data', 'lib', 'base'],
    'step': ['nn', 'tape', 'lib', 'base'],
    'config': ['step', 'ssl', 'hier', 'nn', 'data', 'lib', 'base'],
    'task': ['step', 'ssl', 'hier', 'nn', 'tape', 'lib', 'base'],
    'train': BELOW_TRAIN,
    'eval': ['train', 'detect'] + BELOW_TRAIN,
    'api': ['eval', 'train', 'detect'] + BELOW_TRAIN,
    'bindings': [],
    'examples': [],
}
# the headers of lib/ itself that these low layers may include
ONLY = {
    'base': {'types.h', 'array.h'},
    'cpu': {'types.h', 'array.h', 'backend.h', 'host.h'},
    'cuda': {'types.h', 'array.h', 'backend.h', 'host.h'},
}
LIBRARY = ['lib', 'cpu', 'cuda']
CIRCLE_TOPS = LIBRARY + ['bindings']

BANNED = set('''
    exit _exit _Exit quick_exit abort atexit printf vprintf fprintf vfprintf dprintf puts putchar
    perror strcpy strcat sprintf vsprintf gets strtok strncpy strncat alloca rand srand random srandom
    drand48 rand_r setenv putenv unsetenv signal sigaction raise system popen fork vfork setlocale
    chdir umask setrlimit atof atoi atol strtod strtof scanf dlclose
'''.split())
BY_LOCALE = {'strtod': {'lib/base/option.c'}}  # after uselocale("C")
ENVIRONMENT = {'getenv', 'secure_getenv'}
MAY_READ_ENVIRONMENT = {'lib/context.c', 'lib/module.c', 'lib/api/context.c'}
HEAP = set('malloc calloc realloc free strdup strndup asprintf vasprintf posix_memalign aligned_alloc'.split())
MAY_USE_HEAP = {'lib/base/alloc.c'}
FREES_FOREIGN = {'lib/hier/export.c', 'lib/train/journal.c'}  # they free strings that json_dumps allocates
# Folders whose code runs inside a step, and their functions that may send to the device, read from it or
# wait for it, with the reason. A function of the list without such a call is a fault too.
STEP_FOLDERS = ('lib/tape/', 'lib/nn/', 'lib/ssl/', 'lib/task/', 'lib/step/')
TRANSFERS = {
    ('lib/step/bundle.c', 'hr_bundle_upload'): 'the one transfer of the small inputs',
    ('lib/step/bundle.c', 'hr_bundle_download'): 'the one transfer of the results',
    ('lib/step/inputs.c', 'hr_inputs_send'): 'images, before anything is computed',
    ('lib/step/inputs.c', 'hr_inputs_place'): 'the one transfer of the small inputs, before anything is computed',
    ('lib/step/inputs.c', 'hr_inputs_sum_over_ranks'): 'a count over ranks, before anything is computed',
    ('lib/step/results.c', 'hr_results_read'): 'the one wait of a step',
    ('lib/step/step.c', 'place'): 'the inputs of a step, before anything is computed',
    ('lib/step/step.c', 'compute'): 'the one wait of a step',
    ('lib/step/learner.c', 'hr_learner_restart'): 'making a learner, or setting its weights',
    ('lib/step/optim.c', 'make_parts'): 'making an optimiser',
    ('lib/step/optim.c', 'make'): 'making an optimiser',
    ('lib/step/state.c', 'save_weights'): 'a checkpoint',
    ('lib/step/state.c', 'load_weights'): 'a checkpoint',
    ('lib/step/state.c', 'hr_learner_finite'): 'a checkpoint',
    ('lib/step/state.c', 'hr_learner_save_array'): 'a checkpoint',
    ('lib/step/state.c', 'hr_learner_load_array'): 'a checkpoint',
    ('lib/step/state.c', 'hr_learner_load'): 'a checkpoint',
    ('lib/step/optim.c', 'hr_optim_save'): 'a checkpoint',
    ('lib/step/optim.c', 'hr_optim_load'): 'a checkpoint',
    ('lib/task/decisions.c', 'count_leaves'): 'a count over ranks, before anything is computed',
    ('lib/task/encode.c', 'send_images'): 'images, before anything is computed',
    ('lib/task/probe.c', 'fill'): 'images, before anything is computed',
    ('lib/task/probe.c', 'save'): 'a checkpoint',
    ('lib/task/probe.c', 'load'): 'a checkpoint',
    ('lib/task/pretrain.c', 'save'): 'a checkpoint',
    ('lib/task/paths.c', 'upload'): 'a new tree, between steps',
    ('lib/task/pretrain.c', 'load'): 'a checkpoint',
    ('lib/task/probe.c', 'hr_probe_create'): 'making a probe',
    ('lib/task/probe.c', 'hr_probe_count'): 'evaluation of a probe, between steps',
    ('lib/ssl/mocov2.c', 'init'): 'making a method',
    ('lib/ssl/ring.c', 'hr_ring_fill_unit'): 'making a method',
    ('lib/ssl/score_queue.c', 'hr_score_queue_init'): 'making a method',
    ('lib/ssl/own.c', 'on_host'): "method=own: the application's loss reads outputs on the host",
    ('lib/tape/op_host.c', 'hr_host_loss'): "method=own: the application's loss and gradient",
    ('lib/tape/tape.c', 'fail_memory'): 'a step that has failed',
    ('lib/tape/tape.c', 'holds_bad'): 'the second pass of a step that has failed, which checks each tensor',
    ('lib/nn/model.c', 'hr_model_to_tensors'): 'a model file',
    ('lib/nn/model.c', 'load_weights'): 'a model file',
    ('lib/nn/net.c', 'hr_net_embed'): 'features of images, which is no step',
    ('lib/nn/net.c', 'positions_for'): 'features of images, which is no step',
    ('lib/nn/param.c', 'draw_flat'): 'initial values of weights',
    ('lib/nn/param.c', 'hr_layout_save'): 'a checkpoint or model file',
    ('lib/nn/param.c', 'hr_layout_load'): 'a checkpoint or model file',
    ('lib/nn/param.c', 'hr_slot_read'): 'a weight for the application',
    ('lib/nn/param.c', 'hr_slot_write'): 'a weight from the application',
}
# calls that move data or wait, by the backend or by a function that does
MOVES = (r'->\s*(upload|download|sync|scalars)\s*\(|^[ \t].*?\b(hr_inputs_(?:send|place|sum_over_ranks)|'
         r'hr_bundle_(?:up|down)load|hr_results_read|hr_layout_(?:save|load)|hr_learner_(?:save|load)_array)\(')
LINES, COLUMNS = 60, 100
# a comment that is a fragment, a machine that speaks, a reference to a text that readers do not have
POOR_COMMENTS = [
    (re.compile(r'(?:[Oo]f|what|[Tt]hose) '), 'begins with "%s": name the object'),
    (re.compile(r'([Tt]he same)(?=[,:]| for | with )'), 'begins with "%s": name the other one'),
    (re.compile(r'.*?\b(told|asks|says)\b', flags=re.S), '"%s": software reports, logs, requests or states'),
    (re.compile(r'.*?(\bspec\.md|\bhouse\.md|\bD\d+\b|\b[Dd]ecision \d+)', flags=re.S),
     '"%s" is not in the repository: cite the paper, or write the fact'),
]
COMMENT_MAY = {('tests/cli/tap.sh', 'says')}  # the name of a shell function
OF_THE_HIERARCHY = r'\b(?:head_layers|cluster\w*|path_\w+|iter_wise\w*|spd\w*|warm|levels?)\b'
# Parts of hirl_trainer (lib/train/run.h): the only files of lib/ that may use each. Every file may read `progress`.
PARTS = {
    'feed': {'lib/train/feed.c'},
    'grove': {'lib/train/grove.c', 'lib/train/recluster.c', 'lib/train/checkpoint.c'},
    'journal': {'lib/train/journal.c'},
}
PROGRESS_WRITERS = {'lib/train/trainer.c', 'lib/train/checkpoint.c'}

faults = []


def fault(path, line, text):
    faults.append(f'{path}:{line}: {text}')


def code_of(text):
    """Returns the source with comments and string contents blanked; line breaks stay."""
    def blank(match):
        piece = match.group(0)
        if piece.startswith(('"', "'")):
            return piece[0] + ' ' * (len(piece) - 2) + piece[0]
        return re.sub(r'[^\n]', ' ', piece)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def line_at(text, offset):
    return text.count('\n', 0, offset) + 1


def folder_of(path):
    parts = path.split('/')
    return parts[1] if parts[0] == 'lib' and len(parts) > 2 else parts[0]


def check_includes(root, path, text):
    here = folder_of(path)
    for match in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', text, flags=re.M):
        name, line = match.group(1), line_at(text, match.start())
        if (root / path).parent.joinpath(name).is_file() and '/' not in name:
            continue  # a header in the same folder
        if name == 'emulate.h':
            continue  # tests/support/emulate.h runs the kernels on the host
        first = name.split('/')[0]
        there = first if '/' in name else 'lib'
        if there == here:
            continue
        if there not in MAY[here]:
            fault(path, line, f'{here}/ may not include "{name}": allowed are {", ".join(MAY[here]) or "none"}')
        elif there == 'lib' and here in ONLY and name not in ONLY[here]:
            fault(path, line, f'of lib/, {here}/ may include {", ".join(sorted(ONLY[here]))}, not "{name}"')


def check_calls(path, code):
    for match in re.finditer(r'(?<![\w.>])([A-Za-z_]\w*)\s*\(', code):
        name, line = match.group(1), line_at(code, match.start())
        if name in BANNED and path not in BY_LOCALE.get(name, ()):
            fault(path, line, f'{name}() is not for a library')
        if name in ENVIRONMENT and path not in MAY_READ_ENVIRONMENT:
            fault(path, line, f'{name}(): the environment is read when a context is made, only')
        if name in HEAP and path not in MAY_USE_HEAP and not (name == 'free' and path in FREES_FOREIGN):
            fault(path, line, f'{name}(): the heap is behind hr_alloc and hr_free')
    for match in re.finditer(r'\b(stdout|stderr)\b', code):
        fault(path, line_at(code, match.start()), f'{match.group(1)} belongs to the host')


def check_tensor_memory(path, code):
    if path.startswith(('cpu/', 'cuda/')):
        return
    value = r'(?:->|\.)[xg]\.data'
    touches = [value + r'\s*\)*\s*[\[+]',                        # x->x.data[i], + i
               r'\w\s*\*\s*\)\s*\(?[\w.>\-\[\]]*' + value,       # (float *)x->x.data
               r'mem(?:cpy|set|move|cmp)\s*\([^;]*' + value]
    for touch in touches:
        for match in re.finditer(touch, code):
            fault(path, line_at(code, match.start()), 'tensor memory may lie on a device: kernels, upload, download')


def check_head(path, text):
    name = path.split('/')[-1]
    start = rf'/\* {re.escape(name)} - |/\*\* @file {re.escape(name)} - '
    if not re.match(start, text):
        fault(path, 1, f'the first line is not "/* {name} - what it is"')


def check_methods(path, text):
    if not path.startswith('lib/ssl/'):
        return
    code = re.sub(r'/\*.*?\*/', lambda match: re.sub(r'[^\n]', ' ', match.group(0)), text, flags=re.S)
    for match in re.finditer(OF_THE_HIERARCHY, code):
        fault(path, line_at(code, match.start()), f'{match.group(0)}: a method knows nothing of the hierarchy')


def functions_of(code):
    """Returns the name of the function in which each line lies, or None; relies on Linux brace style."""
    inside, names, last = False, [], None
    for line in code.split('\n'):
        if not inside:
            found = re.match(r'[A-Za-z_][\w\s*]*?\b(\w+)\s*\(', line)
            last = found.group(1) if found else last
        inside = line.rstrip() == '{' or (inside and line.rstrip() != '}')
        names.append(last if inside else None)
    return names


def check_transfers(path, code, used):
    if not path.startswith(STEP_FOLDERS):
        return
    names = functions_of(code)
    for match in re.finditer(MOVES, code, flags=re.M):
        line = line_at(code, match.start())
        where = (path, names[line - 1])
        used.add(where)
        if where not in TRANSFERS:
            fault(path, line, f'{where[1]}: {match.group(1) or match.group(2)}() inside a step; declare an input (step/inputs.h) or '
                              'a result (step/results.h). Where this is no step, extend TRANSFERS')


def check_transfer_list(used):
    for path, name in sorted(set(TRANSFERS) - used):
        fault(path, 1, f'TRANSFERS lists {name} ({TRANSFERS[path, name]}), which has no such call')


def comments_of(path, text):
    """Returns (line, text) of each comment block. Lines of # comments that follow each other are one block."""
    blocks = []
    if not path.endswith(('.py', '.sh', 'meson.build')):
        pieces = r'/\*(.*?)\*/|//([^\n]*)|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
        for match in re.finditer(pieces, text, flags=re.S):
            if match.lastindex:
                blocks.append((line_at(text, match.start()), match.group(match.lastindex)))
    else:
        for match in re.finditer(r'^\s*"""(.*?)"""', text, flags=re.S | re.M):
            blocks.append((line_at(text, match.start(1)), match.group(1)))
        last = 0
        for number, line in enumerate(text.split('\n'), 1):
            whole = re.match(r'\s*#(.*)', line)
            trailing = re.search(r'\s#\s(.*)', line)
            if whole and last == number - 1 and blocks:
                blocks[-1] = (blocks[-1][0], blocks[-1][1] + ' ' + whole.group(1))
            elif whole or trailing:
                blocks.append((number, (whole or trailing).group(1)))
            last = number if whole else last
    return [(line, re.sub(r'[\s\\]*\n\s*\*?\s*', ' ', comment).strip(' *')) for line, comment in blocks]


def check_comments(root):
    """Returns the number of comment blocks."""
    checked = 0
    for top in LIBRARY + ['bindings', 'include', 'examples', 'tests']:
        for file in sorted((root / top).rglob('*')):
            path = str(file.relative_to(root))
            if file.suffix not in ('.c', '.h', '.cu', '.cuh', '.cc', '.py', '.sh') and file.name != 'meson.build':
                continue
            for line, comment in comments_of(path, file.read_text()):
                checked += 1
                for pattern, text in POOR_COMMENTS:
                    match = pattern.match(comment)
                    word = match and (match.group(match.lastindex or 0)).strip()
                    if not match or (path, word) in COMMENT_MAY:
                        continue
                    fault(path, line, 'a comment: ' + text % word)
    return checked


def check_paths(root):
    """Paths are relative to lib/ or the root. Of a name with a placeholder, ssl/<name>.c, the folder is checked. Where
    the page has `name` in `file`, or `name` (`file`), the file must have this word."""
    page = 'lib/README.md'
    names = r'(?<![\w<>./"=-])((?:[\w.-]+/)+(?:[\w.<>-]*[\w>])?|[\w-]+\.(?:c|h|py|sh|md|txt|map|build|cu)\b)'
    words = r'(?:`(\w+)` and )?`?(\w+)`? (?:(?:in|of) |\()`([\w./-]+\.\w+)`'
    for number, line in enumerate((root / page).read_text().split('\n'), 1):
        for name in re.findall(names, line):
            known = name.rsplit('/', 1)[0] if '<' in name else name
            if not (root / 'lib' / known).exists() and not (root / known).exists():
                fault(page, number, f'{name} does not exist, neither in lib/ nor in the root')
        for first, second, name in re.findall(words, line):
            file = root / 'lib' / name if (root / 'lib' / name).is_file() else root / name
            for word in (first, second):
                named = f'`{word}`' in line or word.startswith('HR_')
                if word and named and file.is_file() and not re.search(rf'\b{word}\b', file.read_text()):
                    fault(page, number, f'{name} has no {word}')


def check_width(path, text):
    for number, line in enumerate(text.split('\n'), 1):
        if len(line) > COLUMNS and not re.search(r'"[^"]*\\n"', line):
            fault(path, number, f'a line of {len(line)} columns; at most {COLUMNS}')


def check_left_over(path, text):
    for match in re.finditer(r'^\s*#\s*if\s+[01]\b|\b(?:TODO|FIXME|XXX)\b', text, flags=re.M):
        fault(path, line_at(text, match.start()), f'left over: {match.group(0).strip()}')


def check_length(path, code):
    """Relies on Linux brace style: a function begins with a line "{" and ends with a line "}"."""
    if path.startswith(('cpu/', 'cuda/')):
        return
    begin = None
    for number, line in enumerate(code.split('\n'), 1):
        if line.rstrip() == '{':
            begin = number
        elif line.rstrip() == '}' and begin:
            if number - begin - 1 > LINES:
                fault(path, begin, f'a function of {number - begin - 1} lines; at most {LINES}')
            begin = None


def check_parts(root):
    """The lists are exact: a listed file that does not use its part is a fault too."""
    used = {part: set() for part in PARTS}
    writers = set()
    field = r'trainer\s*->\s*progress\b[\w.]*'
    writes = rf'(?<!&)&\s*{field}|(?:\+\+|--)\s*{field}|{field}\s*(?:\+\+|--|(?:[-+*/%&|^]|<<|>>)?=(?!=))'
    for file in sorted((root / 'lib').rglob('*.[ch]')):
        path, code = str(file.relative_to(root)), code_of(file.read_text())
        for match in re.finditer(r'\btrainer\s*->\s*(feed|grove|journal)\b', code):
            part = match.group(1)
            used[part].add(path)
            if path not in PARTS[part]:
                fault(path, line_at(code, match.start()),
                      f'trainer->{part} is for {", ".join(sorted(PARTS[part]))}')
        for match in re.finditer(writes, code):
            writers.add(path)
            if path not in PROGRESS_WRITERS:
                fault(path, line_at(code, match.start()),
                      f'trainer->progress is written by {", ".join(sorted(PROGRESS_WRITERS))} only')
    lists = [(part, PARTS[part], used[part]) for part in PARTS]
    for name, listed, found in lists + [('progress', PROGRESS_WRITERS, writers)]:
        for path in sorted(listed - found):
            fault('tests/house/house.py', 1, f'{path} is listed for trainer->{name}, but does not use it')


def check_gradients(root):
    wanted, found = set(), set()
    for path in sorted((root / 'lib/tape').glob('op_*.c')):
        for name, backward in re.findall(r'\{ "(\w+)", (\w+) \}', path.read_text()):
            if backward != 'NULL':
                wanted.add(name)
    cases = root / 'tests/grad/test_ops.c'
    table = re.search(r'\} cases\[\] = \{(.*?)\n\};', cases.read_text(), flags=re.S)
    listed = re.findall(r'\{ "(\w+)", \w+ \}', table.group(1)) if table else []
    found.update(listed)
    for name in sorted(wanted - found):
        fault('tests/grad/test_ops.c', 1, f'no case for the operation "{name}"')
    for name in sorted(found - wanted):
        fault('tests/grad/test_ops.c', 1, f'a case for "{name}", which is no operation')
    if len(listed) != len(wanted):
        fault('tests/grad/test_ops.c', 1, f'{len(listed)} cases for {len(wanted)} operations')


def node_of(path):
    """a file and its header are one node: lib/context.c and lib/context.h are lib/context"""
    return path.rsplit('.', 1)[0]


def included_node(root, path, name):
    """the node of the header that `path` includes as `name`, or None for a header outside CIRCLE_TOPS"""
    beside = [] if '/' in name else [path.rsplit('/', 1)[0] + '/' + name]
    for place in beside + ['lib/' + name, name]:
        if place.split('/')[0] in CIRCLE_TOPS and (root / place).is_file():
            return node_of(place)
    return None


def declared_and_defined(code):
    """names of functions and constant objects that are declared; of those that are defined (Linux braces) and not
    static. """
    head = r'^(?!static\b|typedef\b|return\b|#)[A-Za-z_][\w \t*\n]*?\b(\w+)\s*\(([^;{}]*)\)'
    declared = {match.group(1) for match in re.finditer(head + r'[^;{}()]*(?:\([^;{}]*\))?\s*;', code, flags=re.M)}
    defined = {match.group(1) for match in re.finditer(head + r'\s*\n\{', code, flags=re.M)}
    for objects in re.findall(r'^extern const \w+ ([^;()]+);', code, flags=re.M):
        declared |= set(re.findall(r'\b(\w+)\s*(?:\[\w*\])?\s*(?:,|$)', objects))
    defined |= set(re.findall(r'^const \w+ (?:\*const )?(\w+)(?:\[\w*\])? =', code, flags=re.M))
    return declared, defined


class Node:
    def __init__(self):
        self.sources = 0
        self.includes, self.header_includes = set(), set()
        self.declares, self.defines, self.words = set(), set(), set()


def read_nodes(root):
    nodes = {}
    # HR_METHODS(...) declares, or uses, one object for each method
    methods = re.findall(r'^    METHOD\((\w+)\)', (root / 'lib/methods.h').read_text(), flags=re.M)
    methods = {f'hr_method_{name}' for name in methods}
    for top in CIRCLE_TOPS:
        for file in sorted((root / top).rglob('*')):
            if file.suffix not in ('.c', '.h', '.cu', '.cuh'):
                continue
            path, text = str(file.relative_to(root)), file.read_text()
            code = code_of(text)
            node = nodes.setdefault(node_of(path), Node())
            names = re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, flags=re.M)
            found = {included_node(root, path, name) for name in names} - {None, node_of(path)}
            declared, defined = declared_and_defined(code)
            words = set(re.findall(r'\w+', code))
            if 'HR_METHODS' in words and path != 'lib/methods.h':
                words |= methods
                declared |= methods
            node.includes |= found
            node.words |= words
            if file.suffix in ('.h', '.cuh'):
                node.header_includes |= found
                node.declares |= declared
            else:
                node.sources += 1
                node.defines |= defined
    return nodes


def headers_seen(nodes, name):
    """the headers that the files of a node include, directly or through another header"""
    seen, left = set(), list(nodes[name].includes)
    while left:
        header = left.pop()
        if header not in seen:
            seen.add(header)
            left += nodes[header].header_includes
    return seen


def dependencies(root):
    """node -> the nodes it depends on.

    A file depends on the headers that it and its own header include. A header may declare functions that
    other files of its folder define. When it has a .c of its own, it depends on those files. When it
    has none, it is a list of what they offer: who calls a function on it depends on the file that defines it.
    """
    nodes = read_nodes(root)
    defined_by = {}
    for name, node in nodes.items():
        for function in node.defines:
            defined_by[name.rsplit('/', 1)[0], function] = name
    edges = {name: set(node.includes) for name, node in nodes.items()}
    for name, node in nodes.items():
        folder = name.rsplit('/', 1)[0]
        others = {f: defined_by[folder, f] for f in node.declares if defined_by.get((folder, f), name) != name}
        if node.sources:
            edges[name] |= set(others.values())
            continue
        for user in nodes:
            if others and name in headers_seen(nodes, user):
                edges[user] |= {others[f] for f in nodes[user].words & set(others)} - {user}
    return edges


def circles_of(edges):
    """strongly connected components of more than one node (Tarjan 1972)"""
    index, low, stack, circles = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for to in sorted(edges[node]):
            if to not in index:
                visit(to)
            if to in stack:
                low[node] = min(low[node], low[to])
        if low[node] == index[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                circles.append(frozenset(stack[at:]))
            del stack[at:]

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return circles


def check_circles(root):
    for circle in circles_of(dependencies(root)):
        fault(min(circle), 1, 'files depend on each other in a circle: ' + ' '.join(sorted(circle)))


def main():
    if len(sys.argv) != 2:
        sys.exit('usage: house.py ROOT')
    root = pathlib.Path(sys.argv[1])
    checked, transfers = 0, set()
    for top in LIBRARY + ['bindings', 'examples', 'tests', 'include']:
        for file in sorted((root / top).rglob('*')):
            path = str(file.relative_to(root))
            if file.suffix not in ('.c', '.h', '.cu', '.cuh') or '/golden/data/' in path:
                continue
            text = file.read_text()
            code = code_of(text)
            checked += 1
            check_head(path, text)
            check_left_over(path, text)
            check_width(path, text)
            check_methods(path, text)
            if top in LIBRARY:
                check_calls(path, code)
                check_tensor_memory(path, code)
                check_transfers(path, code, transfers)
            if folder_of(path) in MAY:
                check_includes(root, path, text)
            if top != 'tests' and file.suffix in ('.c', '.h'):
                check_length(path, code)
    check_gradients(root)
    check_circles(root)
    check_parts(root)
    check_transfer_list(transfers)
    check_paths(root)
    comments = check_comments(root)
    for line in faults:
        print(line)
    print(f'{checked} files, {comments} comment blocks, {len(faults)} faults')
    return 1 if faults else 0


sys.exit(main())
