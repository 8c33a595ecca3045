"""A session with rootc-lsp-server as an editor has it, then messages that no editor sends."""

from lsp_client import URI, Server

NETWORK = """\
// Größe: 𝒩 counts as two
root.network @net(%image: !root.image<32x32x3>) classes(10) {
  %1 = root.conv2d "conv1" %image filters(16) kernel(5x5) pad(2)
  %2 = root.batch_norm "bn1" %1
  %3 = root.conv2d "conv2" %2 filters(32) kernel(3x3) pad(1) groups(4) no_bias
  %4 = root.global_average_pool %3
  %5 = root.linear "fc" %4 outputs(10)
  root.output %5
}
"""

def place(line, begin, end):
    return {'start': {'line': line, 'character': begin}, 'end': {'line': line, 'character': end}}


def check_diagnostics(server):
    assert server.open(NETWORK) == []
    # The verifier's, with its place: the op's name.
    [wrong] = server.change(NETWORK.replace('groups(4)', 'groups(5)'))
    assert '(C3)' in wrong['message'] and wrong['severity'] == 1 and wrong['source'] == 'rootc', wrong
    assert wrong['range'] == place(4, 7, 18), wrong
    # Shapes.
    [wrong] = server.change(NETWORK.replace('outputs(10)', 'outputs(11)'))
    assert 'the logits are 1x1x11' in wrong['message'] and wrong['range'] == place(7, 2, 13), wrong
    # Notes are further places.
    [wrong] = server.change(NETWORK.replace('"conv2"', '"conv1"'))
    [note] = wrong['relatedInformation']
    assert '(N7)' in wrong['message'] and note['location'] == {'uri': URI, 'range': place(2, 7, 18)}, wrong
    # Warnings and syntax.
    [unused] = server.change(NETWORK.replace('  root.output', '  %6 = root.relu %1\n  root.output'))
    assert 'is left out' in unused['message'] and unused['severity'] == 2, unused
    [syntax] = server.change(NETWORK.replace('no_bias', 'nobias'))
    assert "has no clause 'nobias'" in syntax['message'] and syntax['range'] == place(4, 71, 77), syntax
    [comment] = server.change('# a network\n' + NETWORK)
    assert comment['message'] == 'a comment begins with //, not with #' and comment['range']['start']['line'] == 0
    assert server.change(NETWORK) == []


def check_hover(server):
    words = server.hover(4, 10)
    for part in ('32x32x16 → 32x32x32', 'groups: 4, of 4 channels each', '- parameters: 1,152, ', '1,179,648',
                 'A convolution, grouped if need be', '(C3)'):
        assert part in words, (part, words)
    assert 'Traits' not in words
    assert server.hover(4, 24) == words.split('\n---\n')[0]
    assert server.hover(3, 8).startswith('32x32x16 → 32x32x16\n\n- parameters that are not counted: 32\n')
    assert server.hover(5, 33) == '`%3`: 32x32x32, of `root.conv2d`\n'
    assert server.hover(4, 65) == '`groups(8)` filter groups; default: 1\n'
    assert server.hover(1, 15).startswith('@net: 2,698 parameters, ')
    assert server.hover(0, 5) is None and server.hover(1000, 0) is None
    # Behind the layer that is wrong nothing is known, before it all is.
    server.change(NETWORK.replace('groups(4)', 'groups(5)'))
    assert '32x32x3 → 32x32x16' in server.hover(2, 10)
    assert '32x32' not in server.hover(4, 10) and '(C3)' in server.hover(4, 10)
    server.change(NETWORK)


def check_names(server):
    assert server.at('definition', 4, 28) == [{'uri': URI, 'range': place(3, 2, 4)}]
    assert server.at('definition', 2, 29) == [{'uri': URI, 'range': place(1, 18, 24)}]
    uses = server.at('references', 3, 3, context={'includeDeclaration': True})
    assert [use['range'] for use in uses] == [place(3, 2, 4), place(4, 27, 29)], uses
    assert len(server.at('references', 3, 3, context={'includeDeclaration': False})) == 1
    assert server.at('definition', 4, 10) == []
    [network] = server.ask('textDocument/documentSymbol', {'textDocument': {'uri': URI}})
    assert network['name'] == 'net' and [layer['name'] for layer in network['children']] == ['conv1', 'bn1', 'conv2', 'fc']
    # While a line is being typed.
    server.change(NETWORK.replace('%4 = root.global_average_pool %3', '%4 = root.conv2d "x" %3 filters('))
    assert server.at('definition', 5, 24) == [{'uri': URI, 'range': place(4, 2, 4)}]
    # Columns are UTF-16's, in which this name has two.
    line = '  %x = root.conv2d "𝒩" %1 filters(1) kernel(1x1)'
    column = len(line[:line.index('%1')].encode('utf-16-le')) // 2
    [wrong] = server.change(NETWORK.replace('  root.output', line + '\n  root.output'))
    assert '(C1)' in wrong['message'] and wrong['range'] == place(7, 7, 18), wrong
    assert server.at('definition', 7, column) == [{'uri': URI, 'range': place(2, 2, 4)}]
    assert server.at('definition', 7, column - 1) == []
    [_, use] = [use for use in server.at('references', 2, 3, context={'includeDeclaration': False})]
    assert use['range'] == place(7, column, column + 2), use
    server.change(NETWORK)


def check_completion(server):
    def after(line):
        """Of a cursor at the end of a line behind the fourth value."""
        lines = NETWORK.splitlines()
        lines[6:6] = [line]
        server.change('\n'.join(lines))
        return server.labels(6, len(line))

    assert after('  %x = root.conv2d "x" %4 ')[:2] == ['filters', 'kernel']
    assert after('  %x = root.conv2d "x" %4 filters(8) kernel(1x1) gr') == [
        'stride', 'pad', 'dilation', 'groups', 'no_bias', 'standardize', 'stage', 'ungrouped']
    assert after('  %x = root.conv2d "x" ') == ['%4', '%3', '%2', '%1', '%image']
    assert after('  %x = root.add %1, %') == ['%4', '%3', '%2', '%1', '%image']
    assert after('  %x = root.max_pool %4 rounding(') == ['floor', 'ceil']
    assert after('  %x = root.resize %4 size(4) mode(') == ['nearest', 'bilinear']
    names = after('  %x = root.')
    assert 'root.conv2d' in names and 'root.output' not in names and 'root.network' not in names
    assert after('  root.')[:2] == ['root.output', 'root.auxiliary']
    assert after('  // root.') == [] and after('  %x = root.conv2d "ro') == []
    lines = NETWORK.splitlines()
    server.change('\n'.join(lines + ['roo']))
    assert server.labels(len(lines), 3) == ['root.network']
    server.change(NETWORK)
    [groups] = [item for item in server.at('completion', 2, 64)['items'] if item['label'] == 'groups']
    assert groups['detail'] == 'groups(8)' and groups['documentation']['value'] == 'filter groups; default: 1'
    assert groups['textEdit'] == {'range': place(2, 64, 64), 'newText': 'groups('}, groups


def check_format(server):
    params = {'textDocument': {'uri': URI}, 'options': {'tabSize': 8, 'insertSpaces': False}}
    assert server.ask('textDocument/formatting', params) == []
    server.change(NETWORK.replace('kernel(3x3)', ' kernel( 3 )'))
    [edit] = server.ask('textDocument/formatting', params)
    assert edit['newText'] == NETWORK and edit['range']['start'] == {'line': 0, 'character': 0}
    server.change(NETWORK.replace('root.output', 'root.outputs'))
    assert server.ask('textDocument/formatting', params) == []
    server.change(NETWORK)


def check_bad_messages(server):
    for body in (b'', b'{', b'[]', b'7', b'"x"', b'{}', b'{"jsonrpc": "1.0"}', b'\xff\xfe', b'[' * 1000000,
                 b'{"jsonrpc": "2.0"}', b'{"jsonrpc": "2.0", "id": {}, "method": 7}', b'{"jsonrpc": "2.0", "id": 1, "result": 2}',
                 b'{"jsonrpc": "2.0", "method": "textDocument/didOpen"}',
                 b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": {"uri": "net.mlir"}}}',
                 b'{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": [[]]}'):
        server.write(body)
    for header in (b'Content-Length: 99999999999999999999\r\n\r\n', b'Content-Length: -1\r\n\r\n', b'x' * 100000 + b'\r\n\r\n'):
        server.process.stdin.write(header)
    for method, params in (('no/such', {}), ('textDocument/hover', None), ('textDocument/hover', {'position': 3}),
                           ('textDocument/completion', {'textDocument': {'uri': 7}})):
        assert 'error' in server.reply(method, params), method
    for character in (-1, 2147483647):
        server.at('hover', 2, character)
        server.at('completion', character, character)
    other = {'textDocument': {'uri': 'file:///nowhere/other.mlir'}, 'position': {'line': 0, 'character': 0}}
    assert server.ask('textDocument/hover', other) is None


def check_bad_texts(server):
    """Each text cut off, and with each character of a line gone: something is said of each place."""
    text = NETWORK.replace('// Größe: 𝒩 counts as two\n', '')
    wrong = [text[:end] for end in range(0, len(text), 7)] + [text[:i] + text[i + 1:] for i in range(60, 130)]
    wrong += ['', '\0', '%', '"', '{' * 100000, '%x = ' * 1000, '(' * 200, 'root.network ' * 50, '}' * 10, '!root.image<' * 100,
              text.replace('32x32x3', '9223372036854775807x1x1'), text.replace('groups(4)', 'groups(0)'),
              text.replace('groups(4)', 'stride(0)'), '"root.conv2d"() : () -> ()', '"root.network"() ({}) : () -> ()']
    for text in wrong:
        server.change(text)
        end = len(text.splitlines())
        for line in range(max(0, end - 2), end + 1):
            for character in (0, 8, 30):
                server.hover(line, character)
                server.labels(line, character)
                server.at('references', line, character, context={'includeDeclaration': True})
    server.change(NETWORK)


def check_options():
    """Groups are those of a flag; snippets where the editor knows them."""
    completion = {'completionItem': {'snippetSupport': True}}
    server = Server(capabilities={'textDocument': {'completion': completion}},
                    initializationOptions={'root': 8, 'topology': 'column'})
    [remark] = server.open(NETWORK.replace(' groups(4)', ''))
    assert 'no 1x1 convolution mixes them again' in remark['message'] and remark['severity'] == 3, remark
    assert 'groups: 8, of 2 channels each' in server.hover(4, 24)
    server.change(NETWORK + '\n')
    [filters] = [item for item in server.at('completion', 2, 34)['items'] if item['label'] == 'stride']
    assert filters['textEdit']['newText'] == 'stride(${1:2})' and filters['insertTextFormat'] == 2
    [wrong] = server.change(NETWORK.replace('filters(16)', 'filters(15)').replace(' groups(4)', ''))
    assert wrong['severity'] == 1 and '15' in wrong['message'], wrong
    assert server.end() == 0


server = Server()
for feature in ('hover', 'definition', 'references', 'documentSymbol', 'documentFormatting', 'completion'):
    assert server.capabilities[f'{feature}Provider'], feature
check_diagnostics(server)
check_hover(server)
check_names(server)
check_completion(server)
check_format(server)
check_bad_messages(server)
check_bad_texts(server)
check_hover(server)
server.tell('textDocument/didClose', {'textDocument': {'uri': URI}})
assert server.diagnostics() == []
assert server.end() == 0
check_options()

# An editor that is gone.
server = Server()
server.process.stdin.close()
assert server.process.wait(timeout=10) == 1
