"""Python: where it is no code, what the policy is about, and what only looks like it."""

from __future__ import annotations

import pytest

from wsmgr.adapters.validator.python import check


def _rules(code: str) -> set[str]:
    return {seen.rule for seen in check(code)}


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("a = 1\nb = = 2\n", 2),
        ("def f(:\n  pass", 1),
        ("if 1:\npass", 2),
        ("a\0b", 1),
        ("print 'x'", 1),
        ("(" * 500, 1),
    ],
)
def test_a_syntax_error_has_its_place(code: str, line: int) -> None:
    """Null bytes and too many parentheses are syntax errors too."""
    (seen,) = check(code)
    assert (seen.rule, seen.line) == ("syntax", line)
    assert seen.column >= 1


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("import subprocess", "py/process-spawn"),
        ("import os\no = os\no.system('x')", "py/process-spawn"),
        ("import os\nrun = os.system", "py/process-spawn"),
        ("from os import *\nsystem('x')", "py/process-spawn"),
        ("__import__('os').system('x')", "py/process-spawn"),
        ("o = __import__('o' + 's')\no.system('x')", "py/process-spawn"),
        ("import importlib as i\ni.import_module('os').system('x')", "py/process-spawn"),
        ("import sys\nsys.modules['os'].system('x')", "py/process-spawn"),
        ("import os\nos.__dict__['system']('x')", "py/process-spawn"),
        ("import os\nvars(os)['sys' + 'tem']('x')", "py/process-spawn"),
        ("import os\nos.__getattribute__('system')('x')", "py/process-spawn"),
        ("import asyncio.subprocess\nasyncio.subprocess.create_subprocess_exec('x')", "py/process-spawn"),
        ("import asyncio\nasyncio.get_running_loop().subprocess_exec(p, 'x')", "py/process-spawn"),
        ("from concurrent.futures import ProcessPoolExecutor", "py/process-spawn"),
        ("import webbrowser", "py/process-spawn"),
        ("import builtins\nbuiltins.__dict__['exec']('1')", "py/dynamic-code"),
        ("@exec\n@input\nclass X: pass", "py/dynamic-code"),
        ("exec = print\nexec('1')", "py/dynamic-code"),
        ("import cProfile\ncProfile.run('1')", "py/dynamic-code"),
        ("match object:\n    case type(__subclasses__=s):\n        s()", "py/dunder-escape"),
        ("import operator\noperator.attrgetter('__class__.__subclasses__')(1)", "py/dunder-escape"),
        ("from operator import methodcaller as m\nm('__subclasses__')(object)", "py/dunder-escape"),
        ("type.__getattribute__(object, '__subclasses__')()", "py/dunder-escape"),
        ("import sqlite3\nsqlite3.connect('').enable_load_extension(True)", "py/native-code"),
        ("from subprocess import run", "py/process-spawn"),
        ("import multiprocessing.pool", "py/process-spawn"),
        ("import os\nos.system('x')", "py/process-spawn"),
        ("import os as o\no.fork()", "py/process-spawn"),
        ("from os import execv", "py/process-spawn"),
        ("from os import system as s\ns('x')", "py/process-spawn"),
        ("import os\ngetattr(os, 'sys' + 'tem')('x')", "py/process-spawn"),
        ("__import__('sub' + 'process')", "py/process-spawn"),
        ("import importlib\nimportlib.import_module('subprocess')", "py/process-spawn"),
        ("eval('1')", "py/dynamic-code"),
        ("e = exec", "py/dynamic-code"),
        ("import builtins\nbuiltins.eval('1')", "py/dynamic-code"),
        ("import ctypes", "py/native-code"),
        ("from ctypes import util", "py/native-code"),
        ("().__class__.__base__.__subclasses__()", "py/dunder-escape"),
        ("f.__globals__['x']", "py/dunder-escape"),
        ("getattr(f, '__globals__')", "py/dunder-escape"),
        ("vars(f)['__globals__']", "py/dunder-escape"),
        ("g.gi_frame.f_back.f_globals", "py/dunder-escape"),
        ("__builtins__", "py/dunder-escape"),
        ("import pickle", "py/deserialization"),
        ("from marshal import loads", "py/deserialization"),
        ("import os\nos.kill(1, 9)", "py/process-control"),
        ("__import__(name)", "py/dynamic-import"),
        ("type(x).__mro__", "py/introspection"),
    ],
)
def test_what_the_policy_is_about_is_seen(code: str, rule: str) -> None:
    """Also behind aliases, getattr and joined literals."""
    assert rule in _rules(code)


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.path.join('a', 'b')\nos.environ.get('x')",
        "import re\nre.compile('x')\nmodel.eval()\ndb.exec('x')",
        "text = 'eval(1) __globals__'  # import ctypes",
        "import subprocess_tee, codecs, coder",
        "from .subprocess import x\nfrom . import ctypes",
        "class A:\n    def __init__(self): super().__init__()",
        "import os\no = os\no.path.join(x)\nx.__dict__['system']\nvars(x)['a']['system']",
        "from operator import attrgetter\nattrgetter('a.b')(x)\nmatch x:\n    case Point(x=1): pass",
        "import re\nfrom re import *\nsystem = make()\nsystem.fork()\nmake().system('x')",
        "match x:\n    case {'a': 1, **r}: pass\nasync def f(): return [await y async for y in z]",
        "",
    ],
)
def test_what_only_looks_like_it_is_left_alone(code: str) -> None:
    """Methods, strings, comments, and the plugin's own modules."""
    assert _rules(code) == set()


def test_the_place_is_that_of_the_thing() -> None:
    """In characters, not bytes."""
    (seen,) = check("ä = 'ü'\nö = eval('1')")
    assert (seen.line, seen.column, seen.what) == (2, 5, "eval")


def test_long_chains_of_calls_are_no_matter() -> None:
    """As generated code has them."""
    assert _rules("x" + ".b(1)" * 200 + ".__subclasses__()") == {"py/dunder-escape"}
    assert _rules("import os\nf = os" + ".path(1)" * 200) == set()
