"""What only the Node.js runtime has: module formats, worker threads, and ways to forge what they say."""

from __future__ import annotations

import subprocess

import pytest

from tests.contract.runtime.conftest import StartRuntime
from tests.contract.runtime.launch import CONTAINERFILES, NodeLauncher, node_binary
from tests.contract.runtime.subject import Outcome, Runtime, failed


@pytest.fixture(scope="session")
def launcher() -> NodeLauncher:
    """Node.js only."""
    return NodeLauncher()


def run(runtime: Runtime, code: str, value: object = None, **more: object) -> Outcome:
    """Puts a source as the plugin `p` and executes it."""
    answer = runtime.put_code("p", code)
    assert answer.status == 200, answer.body
    return runtime.execute("p", value, **more)


@pytest.mark.parametrize(
    "code",
    [
        "export default (n) => n + 1;",
        "export default { execute: (n) => n + 1 };",
        "export function execute(n) { return n + 1; }",
        "export const execute = async (n) => n + 1;",
        "module.exports = (n) => n + 1;",
        "module.exports = { execute(n) { return n + 1; } };",
        "exports.execute = (n) => n + 1;",
        "exports.default = (n) => n + 1;",
        "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = { execute: (n) => n + 1 };",
        "const { sep } = require('node:path'); module.exports = (n) => sep === '/' && n + 1;",
        "import { sep } from 'path'; import * as os from 'node:os'; export default (n) => sep && !!os && n + 1;",
        "const one = await Promise.resolve(1); export default (n) => n + one;",
        "import { createRequire } from 'module'; createRequire('/x/y.js')('path'); export default (n) => n + 1;",
        "module.exports = async (n) => { const { sep } = await import('node:path'); return sep && n + 1; };",
        "#!/usr/bin/env node\nmodule.exports = (n) => n + 1;",
        "\ufeffmodule.exports = (n) => n + 1;",
        "module.exports = (n) => ({ then(done) { done(n + 1); } });",
        "// import x from 'y'; export default\nmodule.exports = (n) => n + Number('export default'.length > 1);",
    ],
)
def test_every_way_to_export_a_function(shared: Runtime, code: str) -> None:
    """ES module or CommonJS, however it was written or bundled, the function is found and called."""
    assert run(shared, code, 41)["output"] == 42


def test_a_stack_names_the_virtual_file(shared: Runtime) -> None:
    """Frames read plugin:slug/index.js:LINE:COL in both module formats."""
    esm = run(shared, "export default function f() {\n  throw new Error('x');\n}")
    assert esm["error"]["stack"] == "Error: x\n    at f (plugin:p/index.js:2:9)"
    shared.put_code("q", "module.exports = function f() {\n  throw new Error('x');\n}")
    assert shared.execute("q")["error"]["stack"] == "Error: x\n    at f (plugin:q/index.js:2:9)"


@pytest.mark.parametrize(
    ("thrown", "says"),
    [
        ("'boom'", '"boom"'),
        ("null", "null"),
        ("undefined", "undefined"),
        ("42n", "42"),
        ("Symbol('s')", "Symbol(s)"),
        ("{ a: 1 }", "a: 1"),
        ("{ get message() { throw 1 }, toString() { throw 2 } }", "message"),
        ("new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 } })", "Proxy"),
        ("new Proxy(new Error('x'), { get() { for (;;); } })", "Proxy"),
        ("Object.defineProperty(new Error('x'), 'stack', { get() { throw 1 } })", "Error: x"),
        ("Object.defineProperty(new Error('x'), 'message', { get() { throw 1 } })", "Error"),
        ("Object.assign(new Error('x'), { name: {}, stack: 7 })", "Error: x"),
        ("Object.assign(new Error('y'.repeat(1e6)), { name: 'z'.repeat(1e6) })", "zzz"),
        ("Object.create(Error.prototype)", "Error"),
        ("() => 1", "() => 1"),
    ],
)
def test_anything_can_be_thrown(shared: Runtime, thrown: str, says: str) -> None:
    """Errors, other values and hostile objects all end as an Exception with a short sentence."""
    error = failed(run(shared, f"module.exports = () => {{ throw ({thrown}); }}", timeoutMs=5000), "Exception")
    assert says in error["message"]
    assert len(error["message"]) <= 4096


@pytest.mark.parametrize("value", ["1n", "() => 1", "Symbol('x')", "new Proxy({}, { ownKeys() { throw 1 } })"])
def test_results_without_json(shared: Runtime, value: str) -> None:
    """BigInt, functions, symbols and hostile Proxies are OutputInvalid."""
    failed(run(shared, f"module.exports = () => ({value});"), "OutputInvalid")


@pytest.mark.parametrize(
    "code",
    [
        "module.exports = () => new Promise(() => { setTimeout(() => { throw new TypeError('later'); }, 1); });",
        "module.exports = () => new Promise(() => { Promise.reject(new TypeError('later')); });",
        "module.exports = () => new Promise(() => { process.nextTick(() => { throw new TypeError('later'); }); });",
        """const Emitter = require('events'); const later = new TypeError('later');
        module.exports = () => new Promise(() => setImmediate(() => new Emitter().emit('error', later)));""",
    ],
)
def test_an_uncaught_error_ends_the_execution(shared: Runtime, code: str) -> None:
    """What nobody catches during an execution is that execution's Exception."""
    assert failed(run(shared, code), "Exception")["message"] == "TypeError: later"
    assert shared.health()["status"] == "healthy"


def test_an_uncaught_error_between_calls_costs_no_call(runtime: Runtime) -> None:
    """A rejection that comes up after the answer makes the thread unfit, and every next call is still served."""
    code = "module.exports = async (n) => { Promise.reject(new Error('late')); return n; };"
    runtime.put_code("p", code)
    for number in range(10):
        outcome = runtime.execute("p", number)
        assert outcome["success"] is True or outcome["error"]["message"] == "Error: late"


def test_leftover_timers_do_not_reach_the_next_call(shared: Runtime) -> None:
    """A plugin that leaves a timer behind gets a fresh thread: nothing of it prints into the next execution."""
    code = """let calls = 0;
        module.exports = async (wait) => {
            setInterval(() => console.log('from before'), 1);
            if (wait) await new Promise((r) => setTimeout(r, 50).unref() && r());
            return ++calls;
        };"""
    shared.put_code("p", code)
    assert [shared.execute("p")["output"] for _ in range(3)] == [1, 1, 1]


FORGERIES = {
    "parent-port": "require('worker_threads').parentPort?.postMessage([3, 1, '\"forged\"', 0, 0]);",
    "worker-data": "require('worker_threads').workerData?.port.postMessage([3, 1, '\"forged\"', 0, 0]);",
    "prototype": """const { MessagePort } = require('worker_threads');
        const post = MessagePort.prototype.postMessage;
        MessagePort.prototype.postMessage = function (m) { m[2] = '"forged"'; return post.call(this, m); };""",
    "stringify": "JSON.stringify = () => '\"forged\"'; JSON.parse = () => ({});",
    "events": """for (let p = require('worker_threads').MessagePort.prototype; p; p = Object.getPrototypeOf(p))
        for (const k of Reflect.ownKeys(p)) { try { const f = p[k]; if (typeof f === 'function' && k !== 'constructor')
            p[k] = function (...a) { try { this.postMessage([3, 1, '"forged"', 0, 0]); } catch {} ;
                return f.apply(this, a); }; } catch {} }""",
    "async-resource": """const port = require('async_hooks').executionAsyncResource();
        port?.postMessage?.([3, 1, '"forged"', 0, 0]);""",
    "handles": "for (const h of process._getActiveHandles?.() ?? []) h.postMessage?.([3, 1, '\"forged\"', 0, 0]);",
    "main-thread": "require('worker_threads').postMessageToThread?.(0, [3, 1, '\"forged\"', 0, 0]);",
    "array": "Array.isArray = () => false; Array.prototype.push = () => 0; Object.prototype.toJSON = () => 'forged';",
    "promise": "Promise.prototype.then = function () { return 'forged'; }; globalThis.Promise = class {};",
    "microtask": "globalThis.queueMicrotask = (f) => {}; globalThis.performance = null;",
    "broadcast": "const b = new BroadcastChannel('x'); b.postMessage([3, 1, '\"forged\"', 0, 0]); b.close();",
}


@pytest.mark.parametrize("name", sorted(FORGERIES))
def test_a_plugin_cannot_speak_for_the_runtime(shared: Runtime, name: str) -> None:
    """Whatever a plugin does to its thread, another plugin's results stay its own, and so does the shared."""
    shared.put_code("other", "module.exports = (n) => [n];")
    shared.put_code("bad", f"module.exports = () => {{ {FORGERIES[name]}\n return 7; }};")
    for number in range(3):
        assert shared.execute("bad")["output"] == 7
        assert shared.execute("other", number)["output"] == [number]


def test_a_plugin_cannot_start_threads(shared: Runtime) -> None:
    """Threads of a plugin's own would escape its limits."""
    for code in (
        "module.exports = () => new (require('worker_threads').Worker)('1', { eval: true });",
        "import { Worker } from 'node:worker_threads'; export default () => new Worker('1', { eval: true });",
    ):
        shared.call("DELETE", "/plugins/p")
        assert "threads" in failed(run(shared, code), "Exception")["message"]


def test_writes_to_descriptors_are_captured(runtime: Runtime) -> None:
    """Loggers that write to descriptors 1 and 2 do not reach the real output."""
    code = """import fs, { writeSync } from 'node:fs';
        export default async () => {
            writeSync(1, 'sync'); fs.writeSync(2, Buffer.from('bytes'));
            await new Promise((r) => fs.write(1, 'async', r));
            process._rawDebug('raw'); process.emitWarning('careful');
            process.stdout.write('last'); await new Promise((r) => process.stderr.write('cb', r));
            console.table([{ a: 1 }]);
        };"""
    outcome = run(runtime, code)
    assert outcome["success"] is True
    text = "".join(entry["message"] for entry in outcome["logs"])
    for word in ("sync", "bytes", "async", "raw", "careful", "last", "cb", "a"):
        assert word in text
    assert len(runtime.process.stdout.read_text().splitlines()) == 1
    assert runtime.process.stderr.read_text() == ""


def test_shared_memory_bombs_are_stopped(start: StartRuntime) -> None:
    """SharedArrayBuffers appear in no statistics; they end as OutOfMemory all the same."""
    runtime = start(WSMGR_MEMORY_MB="160")
    code = """module.exports = () => {
        for (const all = []; ; ) all.push(new Uint8Array(new SharedArrayBuffer(4e6)).fill(1));
    };"""
    failed(run(runtime, code), "OutOfMemory")
    assert runtime.run("echo", 1)["success"] is True


STUCK = "require('child_process').spawnSync('/bin/sleep', ['30'])"
"""Nothing ends a thread inside of it."""


def test_a_thread_that_does_not_end_is_no_cover_for_another(start: StartRuntime) -> None:
    """While one is stuck, what others hold is still looked at, also where no statistics tell of it."""
    runtime = start(WSMGR_MEMORY_MB="160", WSMGR_UNRESTRICTED="1")
    failed(run(runtime, f"module.exports = () => {STUCK};", timeoutMs=100), "Timeout")
    code = """module.exports = () => {
        for (const all = []; ; ) all.push(new Uint8Array(new SharedArrayBuffer(4e6)).fill(1));
    };"""
    failed(run(runtime, code), "OutOfMemory")
    assert runtime.run("echo", 1)["success"] is True


def test_memory_that_nothing_else_gives_back_ends_the_process(start: StartRuntime) -> None:
    """A thread that was stopped for its memory, does not end and keeps it: the runtime says so and goes."""
    runtime = start(WSMGR_MEMORY_MB="160", WSMGR_UNRESTRICTED="1")
    # What the child prints is held by the call that cannot be ended.
    arguments = "'/bin/sh', ['-c', 'head -c 300000000 /dev/zero; exec sleep 30'], { maxBuffer: Infinity }"
    failed(run(runtime, f"module.exports = () => require('child_process').spawnSync({arguments});"), "OutOfMemory")
    assert runtime.process.wait(60) == -9
    assert '"msg":"out of memory"' in runtime.process.stderr.read_text()


def test_blocking_native_calls_time_out(shared: Runtime) -> None:
    """Atomics.wait blocks a thread without spinning; its execution ends in time, and others go on."""
    code = "module.exports = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);"
    failed(run(shared, code, timeoutMs=100), "Timeout")
    assert shared.run("echo", 1)["success"] is True


def test_unkillable_child_waits_do_not_hold_up_the_runtime(start: StartRuntime) -> None:
    """A thread inside execSync cannot be stopped; its caller gets the Timeout and the next call another thread."""
    runtime = start(WSMGR_UNRESTRICTED="1")
    code = "module.exports = (s) => require('child_process').spawnSync('/bin/sleep', [s]) && 'slept';"
    failed(run(runtime, code, "3", timeoutMs=100), "Timeout")
    assert runtime.execute("p", "0")["output"] == "slept"
    assert runtime.health()["stuck"] in {0, 1}


def test_the_health_check_of_the_image(start: StartRuntime) -> None:
    """healthcheck.mjs exits 0 against a healthy runtime, with its token, and 1 against nothing."""
    token = "hush"  # noqa: S105 - made up for this test
    runtime = start(WSMGR_TOKEN=token)
    script = CONTAINERFILES / "node" / "runtime" / "healthcheck.mjs"

    def check(listen: str) -> int:
        environment = {"LISTEN": listen, "WSMGR_TOKEN": token}
        return subprocess.run(
            [str(node_binary()), str(script)], env=environment, check=False, capture_output=True, timeout=20
        ).returncode

    assert check(str(runtime.address.path)) == 0
    assert check(f"{runtime.address.path}.none") == 1
