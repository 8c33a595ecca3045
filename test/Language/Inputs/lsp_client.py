"""The editor's side of the language server protocol."""

import json
import subprocess

URI = 'file:///nowhere/net.mlir'


class Server:
    def __init__(self, **start):
        self.process = subprocess.Popen(['rootc-lsp-server'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.id = 0
        self.notes = []
        self.capabilities = self.ask('initialize', {'processId': None, 'rootUri': None, 'capabilities': {}, **start})['capabilities']
        self.tell('initialized', {})

    def write(self, body):
        self.process.stdin.write(b'Content-Length: %d\r\n\r\n%s' % (len(body), body))
        self.process.stdin.flush()

    def read(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            if line.startswith(b'Content-Length: '):
                length = int(line.split()[1])
        assert length, f'the server ended: {self.process.wait()}'
        return json.loads(self.process.stdout.read(length))

    def tell(self, method, params):
        self.write(json.dumps({'jsonrpc': '2.0', 'method': method, 'params': params}).encode())

    def reply(self, method, params):
        self.id += 1
        self.write(json.dumps({'jsonrpc': '2.0', 'id': self.id, 'method': method, 'params': params}).encode())
        while True:
            message = self.read()
            if message.get('id') == self.id:
                return message
            self.notes.append(message)

    def ask(self, method, params):
        message = self.reply(method, params)
        assert 'result' in message, message
        return message['result']

    def diagnostics(self):
        """What the server says of the text that it was given last."""
        while not self.notes:
            self.notes.append(self.read())
        params = self.notes.pop(0)['params']
        assert params['uri'] == URI
        return params['diagnostics']

    def open(self, text):
        self.tell('textDocument/didOpen',
                  {'textDocument': {'uri': URI, 'languageId': 'rootc', 'version': 1, 'text': text}})
        return self.diagnostics()

    def change(self, text):
        self.tell('textDocument/didChange',
                  {'textDocument': {'uri': URI, 'version': 2}, 'contentChanges': [{'text': text}]})
        return self.diagnostics()

    def at(self, what, line, character, **more):
        return self.ask(f'textDocument/{what}', {
            'textDocument': {'uri': URI}, 'position': {'line': line, 'character': character}, **more})

    def hover(self, line, character):
        answer = self.at('hover', line, character)
        return answer and answer['contents']['value']

    def labels(self, line, character):
        return [item['label'] for item in self.at('completion', line, character)['items']]

    def end(self):
        assert self.ask('shutdown', None) is None
        self.tell('exit', None)
        return self.process.wait(timeout=10)
