"""binders.py - writes the public headers for programs that make bindings: bindings/api.json has every
constant, struct, callback type and function with its documentation; bindings/hirl.ffi.h has the same
declarations without macros and directives, as cffi and similar parsers read them.
"""
import json
import re
import textwrap

from declarations import declarations_of, enums_of, is_pointer, tags_of

FFI_HEAD = """/* hirl.ffi.h - the declarations of libhirl without macros and directives, for binders.
 *
 * cffi reads this text as it is; in C, include <stddef.h> and <stdint.h> before. It is made from
 * include/hirl by tests/abi/docs.py --write. The documentation is there, and in api.json.
 */
"""
ORDER = ['status', 'handles', 'version', 'options', 'context', 'stream', 'image', 'dataset', 'model', 'weights', 'cluster', 'loss', 'eval',
         'train', 'method']
OWNER_WORDS = {'caller-owned': 'caller', 'library-owned': 'library', 'new': 'new'}


def sentence(text):
    return ' '.join(text.split())


def pointer_of(text, direction):
    """'[n, d] float32, caller-owned, read during the call; rows' -> its parts as a dict; null: whether the
    caller may pass NULL, or the result or field may be NULL"""
    match = re.match(r'(\[[^\[\]]*\]) (?:pointers to (\[[^\[\]]*\]) )?(\w+), (.*)', text)
    if not match:
        return {}
    shape, inner, dtype, rest = match.groups()
    phrase, _, meaning = rest.partition(';')
    owner, _, lifetime = phrase.partition(', ')
    found = {'shape': shape, 'dtype': dtype, 'owner': OWNER_WORDS.get(owner, owner), 'lifetime': lifetime.rstrip('. ')}
    if inner:
        found['pointers_to'] = inner
    release = re.match(r'released with (\w+)\(\)', lifetime)
    if release:
        found['release'] = release.group(1)
    found['null'] = bool(re.search(r'\bNULL:' if direction else r'\bNULL\b', meaning))
    return found


def value_of(c_type, text, direction=''):
    text = sentence(text)
    return {'c_type': c_type, **(pointer_of(text, direction) if is_pointer(c_type) else {}), 'text': text}


def names_of(names):
    """'x[HIRL_LEVELS], y' -> [('x', 'HIRL_LEVELS'), ('y', None)]"""
    return [re.match(r'\**(\w+)(?:\[(\w+)\])?$', one.strip()).groups() for one in names.split(',')]


def struct_of(declaration, constants):
    fields = []
    for c_type, names, comment in declaration.items:
        for name, length in names_of(names):
            field = {'name': name, **value_of(c_type, comment)}
            if length:
                field['length'] = constants[length] if length in constants else int(length)
            fields.append(field)
    return {'name': declaration.name, 'text': sentence(declaration.comment), 'fields': fields}


def body_of(comment):
    """the sentences of a comment before its tags, a paragraph each"""
    return [sentence(one) for one in re.split(r'\n\n', re.split(r'^@|^Threads:|^Errors:', comment, flags=re.M)[0])
            if one.strip()]


def call_of(declaration, header):
    parameters, result, statuses = tags_of(declaration.comment)
    threads = re.search(r'Threads: (.*?)\. ', sentence(declaration.comment) + ' ')
    since = re.search(r'Since (\d+\.\d+)\.', declaration.comment)
    same = re.search(r'^Errors: as (hirl_\w+)\(\)', declaration.comment, flags=re.M)
    call = {'name': declaration.name, 'header': header, 'text': body_of(declaration.comment),
            'result': value_of(declaration.result, result or ''),
            'parameters': [{'name': name, 'direction': parameters[name][0],
                            **value_of(c_type, parameters[name][1], parameters[name][0])} for c_type, name in declaration.items],
            'statuses': [{'name': name, 'text': text} for name, text in statuses]}
    for key, found in ('threads', threads), ('since', since), ('statuses_as', same):
        if found:
            call[key] = found.group(1)
    return call


def header_name(path):
    return 'hirl/' + re.sub(r'.*/|\.in$', '', path)


def in_order(headers):
    """[(path, text)], each header after those that it uses"""
    by_stem = {re.sub(r'.*/|\.h(?:\.in)?$', '', path): (path, text) for path, text in headers.items()}
    by_stem.pop('hirl')
    if set(by_stem) != set(ORDER):
        raise SystemExit(f'binders.py: ORDER lacks or has too many of {sorted(set(by_stem) ^ set(ORDER))}')
    return [by_stem[stem] for stem in ORDER]


def handles_of(text):
    return re.findall(r'^typedef struct (\w+) \1; */\*\*< (.*?) \*/', text, flags=re.M)


def json_of(headers, owners):
    api = {'constants': [], 'handles': [], 'owners': [re.sub(r'\[.*|\(\\w.*', lambda m: 'EVENT' if m.group(0)[0] == '[' else 'FUNCTION', one) for one in owners], 'structs': [], 'callbacks': [], 'functions': []}
    texts = in_order(headers)
    constants = {name: value for _, text in texts for _, group, _ in enums_of(text) for name, value, _ in group}
    for path, text in texts:
        api['handles'] += [{'name': name, 'text': about} for name, about in handles_of(text)]
        for name, group, above in enums_of(text):
            api['constants'].append({'enum': name, 'header': header_name(path), 'text': sentence(above), 'constants': [
                {'name': one, 'value': value, 'text': sentence(comment)} for one, value, comment in group]})
        for declaration in declarations_of(text):
            if declaration.kind == 'struct':
                api['structs'].append({**struct_of(declaration, constants), 'header': header_name(path)})
            elif declaration.kind == 'callback':
                api['callbacks'].append(call_of(declaration, header_name(path)))
            else:
                api['functions'].append(call_of(declaration, header_name(path)))
    return json.dumps(api, indent=1, ensure_ascii=False) + '\n'


def join(c_type, name):
    return f'{c_type}{name}' if c_type.endswith('*') else f'{c_type} {name}'


def wrap(code):
    return '\n'.join(textwrap.wrap(code, 100, subsequent_indent='    ', break_long_words=False, break_on_hyphens=False))


def prototype(declaration, before=''):
    parameters = ', '.join(join(c_type, name) for c_type, name in declaration.items) or 'void'
    return wrap(f'{before}{join(declaration.result, declaration.name)}({parameters});')


def ffi_struct(declaration, constants):
    lines = [f'struct {declaration.name} {{']
    for c_type, names, _ in declaration.items:
        for name, length in names_of(names):
            array = f'[{constants.get(length, length)}]' if length else ''
            lines.append(f'    {join(c_type, name)}{array};')
    return '\n'.join(lines + ['};'])


def ffi_of(headers):
    texts = [text for _, text in in_order(headers)]
    enums = [group for text in texts for _, group, _ in enums_of(text)]
    constants = {name: str(value) for group in enums for name, value, _ in group}
    all_of = [declaration for text in texts for declaration in declarations_of(text)]
    structs = [one for one in all_of if one.kind == 'struct']
    parts = [FFI_HEAD, 'typedef int32_t hirl_status;\n',
             '\n'.join(wrap('enum { ' + ', '.join(f'{name} = {value}' for name, value, _ in group) + ' };')
                       for group in enums) + '\n',
             '\n'.join(f'typedef struct {name} {name};' for text in texts for name, _ in handles_of(text)) + '\n',
             '\n'.join(f'typedef struct {one.name} {one.name};' for one in structs) + '\n',
             '\n'.join(prototype(one, 'typedef ') for one in all_of if one.kind == 'callback') + '\n',
             '\n'.join(ffi_struct(one, constants) + '\n' for one in structs),
             '\n'.join(prototype(one) for one in all_of if one.kind == 'function') + '\n']
    return '\n'.join(parts)


def files_of(headers, owners):
    return {'bindings/api.json': json_of(headers, owners), 'bindings/hirl.ffi.h': ffi_of(headers)}
