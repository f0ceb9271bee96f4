"""declarations.py - reads the public headers: functions, callback types, structs and constants, with
the text of their comments, for docs.py, which checks them, and binders.py, which writes them for binders.
"""
import re

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
    """-> (name or '', [(constant, value, comment)], the comment above)"""
    enum = re.compile(r'(?P<above>/\*\*(?:(?!\*/).)*\*/\n)?^enum(?: (?P<name>\w+))? \{(?P<body>.*?)\};', re.S | re.M)
    for match in enum.finditer(text):
        constant = re.compile(r'(?P<comment>/\*\*(?:(?!\*/).)*\*/)?\s*(?P<name>HIRL_\w+) = (?P<value>-?\d+)', re.S)
        yield (match.group('name') or '',
               [(one.group('name'), int(one.group('value')), text_of(one.group('comment') or ''))
                for one in constant.finditer(match.group('body'))], text_of((match.group('above') or '').strip()))


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
    """-> ({parameter: (direction, text)}, text of @return or None, [(status, text) of each @retval])"""
    parameters, result, statuses = {}, None, []
    for tag in re.findall(r'^@(.*?)(?=\n\n|\n@|\n(?:Threads|Since|Errors):?\s|\Z)', comment, flags=re.S | re.M):
        text = ' '.join(tag.split())
        parameter = re.match(r'param\[([\w,]+)\] (\w+) (.*)', text)
        if parameter:
            parameters[parameter.group(2)] = (parameter.group(1), parameter.group(3))
        elif text.startswith('return '):
            result = text[len('return '):]
        elif text.startswith('retval '):
            names = re.match(r'retval ((?:HIRL_\w+(?:, )?)+)\s*(.*)', text)
            statuses += [(name, names.group(2)) for name in re.findall(r'HIRL_\w+', names.group(1))]
    return parameters, result, statuses
