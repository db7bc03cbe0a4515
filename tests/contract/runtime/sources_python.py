"""The plugins of the suite in Python, by case name."""

from __future__ import annotations

PYTHON: dict[str, str] = {
    "echo": """def execute(input, context):
    return {"input": input, "context": context}
""",
    "sees-given": """def execute(input, context):
    secrets = context.secrets
    return {'config': context.config, 'names': list(secrets), 'value': secrets.get('TOKEN')}
""",
    "changes-given": """def execute(input, context):
    def tries(change):
        try:
            change()
        except (TypeError, AttributeError):
            pass
    tries(lambda: context.config['deep'].update(a=2))
    tries(lambda: context.config['deep'].__setitem__('a', 2))
    tries(lambda: context.secrets.__setitem__('TOKEN', 'other'))
    tries(lambda: context.secrets.__delitem__('TOKEN'))
    tries(lambda: setattr(context.secrets, 'TOKEN', 'other'))
    return [context.config['deep']['a'], context.secrets.TOKEN]
""",
    "leaks-context": """def execute(input, context):
    print(context)
    print('%s %r' % (context.secrets, context))
    return context
""",
    "sees-deadline": """def execute(input, context):
    return context.deadline
""",
    "generates": """def execute(input, context):
    print('first')
    for i in range(input):
        yield {'i': i}
    print('last')
    return 'done'
""",
    # An async generator of Python has no return value: its output would be null.
    "generates-later": """import asyncio
async def execute(input, context):
    print('first')
    for i in range(input):
        await asyncio.sleep(0)
        context.emit({'i': i})
    print('last')
    return 'done'
""",
    "emits": """def execute(input, context):
    print('first')
    for i in range(input):
        context.emit({'i': i})
    print('last')
    return 'done'
""",
    "emits-then-waits-for-file": """import os, time
def execute(input, context):
    print('waiting')
    yield 'ready'
    while not os.path.exists(input):
        time.sleep(0.005)
    return 'found'
""",
    "emits-endlessly": """def execute(input, context):
    while True:
        context.emit(input)
""",
    "emits-and-catches": """def execute(input, context):
    while True:
        try:
            context.emit(input)
        except BaseException:
            pass
""",
    "emits-what-is-no-json": """def execute(input, context):
    context.emit(context.emit)
""",
    "emits-then-raises": """def execute(input, context):
    yield 1
    raise TypeError('half-way')
""",
    "emits-after-its-end": """late = None
def execute(input, context):
    global late
    before, late = late, context.emit
    if before is not None:
        before('stray')
    return 1
""",
    "echo-later": """import asyncio
async def execute(input, context):
    await asyncio.sleep(0.001)
    return input
""",
    "version-one": """def execute(input, context):
    return 'one'
""",
    "version-two": """def execute(input, context):
    return 'two'
""",
    "says-nothing": """def execute(input, context):
    pass
""",
    "raises": """def execute(input, context):
    return input['missing']['deeper']
""",
    "raises-later": """import asyncio
async def execute(input, context):
    await asyncio.sleep(0)
    raise TypeError('too late')
""",
    "recurses": """def execute(input, context):
    return execute(input + 1, context) + 1
""",
    "spins": """def execute(input, context):
    print('before')
    while True:
        pass
""",
    "spins-later": """import asyncio
async def execute(input, context):
    while True:
        await asyncio.sleep(0)
""",
    "never-answers": """import asyncio
async def execute(input, context):
    await asyncio.get_running_loop().create_future()
""",
    "exits": """import os
def execute(input, context):
    print('bye')
    os._exit(3)
""",
    "grows-heap": """def execute(input, context):
    held = []
    while True:
        held.append({'some': [1, 2, 3]})
""",
    "grows-one-list": """def execute(input, context):
    held = []
    while True:
        held.append(1)
""",
    "grows-one-map": """import itertools
def execute(input, context):
    held = {}
    for number in itertools.count():
        held[number] = {'i': number}
""",
    "grows-one-text": """import json
def execute(input, context):
    text = 'xyz'
    while True:
        text += text
        json.dumps(text)
""",
    "grows-bytes": """def execute(input, context):
    held = []
    while True:
        held.append(b'x' * 4_000_000)
""",
    "prints": """import logging, sys
log = logging.getLogger('plugin')
log.setLevel(logging.DEBUG)
def execute(input, context):
    print('hello', 'world', 42, {'a': 1})
    log.error('bad'); log.warning('hm'); log.info('fyi'); log.debug('dbg')
    sys.stdout.write('raw'); sys.stdout.flush()
    print('raw too', file=sys.stderr)
""",
    "prints-a-lot": """import sys
def execute(input, context):
    mb = 'x' * 999_999 + chr(10)
    for _ in range(25):
        print(mb)
        sys.stdout.buffer.write(mb.encode())
    return 'done'
""",
    "prints-many-lines": """def execute(input, context):
    for number in range(300_000):
        print('line', number)
    return 'done'
""",
    "prints-input": """def execute(input, context):
    print(input)
    return input
""",
    "returns-bytes": """def execute(input, context):
    return 'x' * input
""",
    "returns-cycle": """def execute(input, context):
    a = {}
    a['a'] = a
    return a
""",
    "refuses-to-serialize": """def execute(input, context):
    return object()
""",
    "sees-environment": """import os
def execute(input, context):
    return dict(os.environ)
""",
    "waits-for-file": """import asyncio, os
async def execute(input, context):
    while not os.path.exists(input):
        await asyncio.sleep(0.005)
    return 'one'
""",
    "spins-until-file": """import os
def execute(input, context):
    while not os.path.exists(input):
        pass
    return 'found'
""",
    "counts": """calls = 0
def execute(input, context):
    global calls
    calls += 1
    return calls
""",
    "load-syntax-error": """def execute(input, context):
    return 1 +
""",
    "load-raises": """def execute(input, context):
    return 1
raise ValueError('not today')
""",
    "load-spins": """while True:
    pass
""",
    "load-grows": """held = []
while True:
    held.append(b'x' * 4_000_000)
""",
    "load-exits": """import os
os._exit(4)
""",
    "load-no-function": """answer = 42
""",
    "load-unknown-module": """import lodash
def execute(input, context):
    return lodash.VERSION
""",
}
