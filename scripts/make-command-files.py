"""make-command-files.py docs/commands.md FOLDER VERSION: man pages (PROGRAM.1) and completions for bash (PROGRAM) of the
programs, from the page's tables of flags, which a test compares with --help."""

import os
import re
import sys

path, folder, version = sys.argv[1:]
with open(path) as file:
    parts = re.split(r'^## (.+)\n', file.read(), flags=re.M)[1:]
sections = dict(zip(parts[::2], parts[1::2]))


def rows(text, head):
    """Cells of the tables whose first column is called `head`."""
    inside = False
    for line in text.splitlines():
        cells = [cell.replace('\\|', '|').strip() for cell in re.split(r'(?<!\\)\|', line)[1:-1]]
        if cells and cells[0] == head:
            inside = True
        elif not cells:
            inside = False
        elif inside and not cells[0].startswith('---'):
            yield cells


def names(text):
    return re.findall(r'(?<![\w-])--?[a-z][a-z-]*', text)


def roff(text):
    text = text.replace('\\', '\\\\').replace('-', '\\-').replace('**', '')
    text = re.sub(r'`([^`]*)`', r'\\fB\1\\fR', text)
    return '\n'.join('\\&' + line if line.startswith(('.', "'")) else line for line in text.splitlines())


def commands(program):
    """Of `rootc fmt` and its like: the command's name and its section."""
    return [(name.split(' ')[1], text) for name, text in sections.items() if name.startswith(program + ' ')]


def described(text):
    """What stands before the first table."""
    return roff(text.split('\n| ')[0].strip())


def entries_of(text, head):
    return [cells for cells in rows(text, head) if head != 'verb' or len(cells) == 3]


def man(program, text):
    out = [f'.TH {program.upper()} 1 "" "rootc {version}"', '.SH NAME', f'{program} \\- part of rootc, a compiler for '
           'convolutional networks with filter groups', '.SH DESCRIPTION']
    out.append(described(text))
    tables = [(title, head, text) for head, title in (('verb', 'VERBS'), ('flag', 'OPTIONS'), ('kind', 'KINDS OF OUTPUT'),
                                                      ('environment variable', 'ENVIRONMENT'))]
    tables += [(f'{program} {name}'.upper(), 'flag', part) for name, part in commands(program)]
    for title, head, part in tables:
        entries = entries_of(part, head)
        if entries:
            out.append(f'.SH {title}')
        if part is not text:
            out.append(described(part))
        for name, what, *more in entries:
            out += ['.TP', roff(name), roff(what)]
            if head == 'flag' and more and more[0]:
                out.append(roff(f'(default: {more[0]})'))
            elif more and more[0]:
                out.append(roff(f'Flags: {more[0]}'))
    return '\n'.join(out) + '\n'


def flags_of(text):
    return ' '.join(sorted({flag for name, *_ in rows(text, 'flag') for flag in names(name)}))


def completion(program, text):
    verbs = {cells[0].strip('`'): names(cells[2]) for cells in rows(text, 'verb') if len(cells) == 3}
    function = '_' + program.replace('-', '_')
    lines = [f'{function}() {{', '  local words']
    if verbs:
        lines.append('  case "${COMP_WORDS[1]}" in')
        lines += [f'    {verb}) words="{" ".join(own + ["--help"])}" ;;' for verb, own in verbs.items()]
        lines += [f'    *) words="{" ".join(verbs)} --help --version" ;;', '  esac',
                  '  [ "$COMP_CWORD" = 1 ] && words="' + ' '.join(verbs) + ' --help --version"']
    else:
        lines.append(f'  words="{flags_of(text)}"')
        for name, part in commands(program):
            lines += [f'  [ "$COMP_CWORD" = 1 ] && words+=" {name}"', f'  [ "${{COMP_WORDS[1]}}" = {name} ] && words="{flags_of(part)}"']
    lines += ['  COMPREPLY=()', '  [[ "$2" = -* || "$COMP_CWORD" = 1 ]] && COMPREPLY=($(compgen -W "$words" -- "$2"))',
              '  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$2"))', '}',
              f'complete -o filenames -F {function} {program}']
    return '\n'.join(lines) + '\n'


os.makedirs(folder, exist_ok=True)
for program, text in sections.items():
    if ' ' in program:
        continue
    for name, content in ((f'{program}.1', man(program, text)), (program, completion(program, text))):
        with open(os.path.join(folder, name), 'w') as file:
            file.write(content)
