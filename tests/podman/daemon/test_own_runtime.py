"""A plugin that turns to the runtime of its own workspace, behind the daemon's back, in both languages."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from tests.podman.daemon.rig import RealDaemon, real_daemon, unrestricted_plans, wait_for
from wsmgr.client import Client

NODE = """
const fs = require('node:fs'), net = require('node:net');
const attempt = (act) => { try { return act() ?? 'done'; } catch (error) { return error.code; } };
const connect = (path) => new Promise((done) => {
  const socket = net.connect(path, () => { socket.destroy(); done('connected'); });
  socket.on('error', (error) => done(error.code));
});
const listen = (path) => new Promise((done) => {
  const server = net.createServer((caller) => caller.destroy()).on('error', (error) => done([error.code]));
  server.listen(path, async () => { const said = await connect(path); server.close(() => done(['listens', said])); });
});
const acts = {
  connect: (paths) => Promise.all(paths.map(connect)),
  names: () => fs.readFileSync('/proc/net/unix', 'utf8').split('\\n').slice(1).map((l) => l.split(' ').at(-1)),
  list: (path) => attempt(() => fs.readdirSync(path)),
  move: ([from, to]) => attempt(() => fs.renameSync(from, to)),
  remove: (path) => attempt(() => fs.rmdirSync(path)),
  open: (path) => attempt(() => fs.chmodSync(path, 0o777)),
  link: ([target, path]) => attempt(() => fs.symlinkSync(target, path)),
  listen,
  sockets: () => [...Array(256).keys()].filter((fd) => attempt(() => fs.fstatSync(fd).isSocket()) === true),
  read: ([marker, ms]) => {
    const page = Buffer.alloc(65536), found = [], until = Date.now() + ms;
    const sockets = acts.sockets();
    while (Date.now() < until && !Buffer.concat(found).includes(marker)) {
      for (const fd of sockets) {
        try { found.push(Buffer.from(page.subarray(0, fs.readSync(fd, page)))); } catch { continue; }
      }
    }
    return Buffer.concat(found).toString('latin1');
  },
  wait: (ms) => new Promise((done) => setTimeout(done, ms, ms)),
};
module.exports = ([act, value]) => acts[act](value);
"""
PYTHON = """
import errno, os, socket, stat, time

def attempt(act, *given):
    try:
        found = act(*given)
    except OSError as error:
        return errno.errorcode[error.errno]
    return 'done' if found is None else found

def connect(path):
    with socket.socket(socket.AF_UNIX) as made:
        return 'connected' if attempt(made.connect, path) == 'done' else attempt(made.connect, path)

def listen(path):
    with socket.socket(socket.AF_UNIX) as made:
        refused = attempt(made.bind, path)
        if refused != 'done':
            return [refused]
        made.listen()
        said = connect(path)
        os.unlink(path)
        return ['listens', said]

def names(_):
    with open('/proc/net/unix') as file:
        return [line.split()[-1] for line in file.read().splitlines()[1:]]

def sockets(_):
    found = []
    for number in range(3, 256):
        try:
            found += [number] if stat.S_ISSOCK(os.fstat(number).st_mode) else []
        except OSError:
            continue
    return found

ACTS = {
    'connect': lambda paths: [connect(path) for path in paths],
    'names': names,
    'list': lambda path: attempt(os.listdir, path),
    'move': lambda both: attempt(os.rename, *both),
    'remove': lambda path: attempt(os.rmdir, path),
    'open': lambda path: attempt(os.chmod, path, 0o777),
    'link': lambda both: attempt(os.symlink, *both),
    'listen': listen,
    'sockets': sockets,
    'wait': lambda ms: time.sleep(ms / 1000) or ms,
}

def execute(input, context):
    act, value = input
    return ACTS[act](value)
"""
SOURCES = {"javascript": NODE, "python": PYTHON}
KEEPERS = {
    "javascript": "module.exports = (input) => ['keeper', input]",
    "python": "def execute(input, context): return ['keeper', input]",
}
KEEPS = "module.exports = (_, { secrets }) => [...(secrets.API_KEY ?? '')].reverse().join('')"
"""Backwards, or the daemon would mask it."""
FOLDER = "/run/wsmgr"
PRIVATE = f"{FOLDER}/daemon"
TRIES = 20
"""The plugin and the runtime race for what comes; the plugin never rests."""
SOCKETS = (f"{FOLDER}/api.sock", f"{PRIVATE}/api.sock")


@dataclass(frozen=True)
class Workspace:
    """One that runs a hostile plugin and a neighbour of it, in one language, with no restriction of the runtime."""

    daemon: RealDaemon
    client: Client
    language: Literal["javascript", "python"]

    @property
    def user(self) -> str:
        """Its owner's name."""
        return f"door-{self.language}"

    @property
    def id(self) -> str:
        """Its id."""
        return f"user:{self.user}" + ("~python" if self.language == "python" else "")

    def act(self, act: str, value: object = None) -> Any:
        """What the hostile plugin came back with."""
        answer = self.client.execute(self.user, "hostile", [act, value])
        assert answer.success, answer.error
        return answer.output

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The runtime's answer to a request of the daemon's user, who reaches the socket from outside."""
        with socket.socket(socket.AF_UNIX) as made:
            made.settimeout(10)
            made.connect(f"/proc/{self.daemon.main_pid(self.id)}/root{SOCKETS[1]}")
            connection = http.client.HTTPConnection("runtime")
            connection.sock = made
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, json.loads(response.read())


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealDaemon]:
    """What holds is tried without validation and the runtimes' own restrictions before it."""
    with real_daemon(plans_file=unrestricted_plans(tmp_path_factory.mktemp("plans"))) as daemon:
        yield daemon


@pytest.fixture(params=sorted(SOURCES))
def workspace(daemon: RealDaemon, client: Client, request: pytest.FixtureRequest) -> Workspace:
    """One of each language, with a neighbour that has run."""
    made = Workspace(daemon, client, request.param)
    for slug, code in (("hostile", SOURCES[made.language]), ("keeper", KEEPERS[made.language])):
        client.put_plugin(f"user:{made.user}", slug, language=made.language, code=code)
    assert client.execute(made.user, "keeper", 1).output == ["keeper", 1]
    return made


def test_a_plugin_cannot_call_its_own_runtime(workspace: Workspace) -> None:
    """Not by the name that the runtime bound, nor by the one that the daemon gave it, nor by any that the kernel lists.
    The controls: the plugin connects to a socket of its own beside them; and the same requests, from outside, are
    answered, by the neighbour too."""
    assert workspace.act("listen", f"{FOLDER}/own.sock") == ["listens", "connected"]
    assert workspace.act("connect", SOCKETS) == ["ENOENT", "EACCES"]
    assert workspace.act("list", FOLDER) == ["daemon"]
    assert workspace.act("list", PRIVATE) == "EACCES"
    named = [name for name in workspace.act("names") if name.startswith(("/", "@"))]
    assert "connected" not in workspace.act("connect", [name.replace("@", "\0") for name in named])
    status, health = workspace.ask("GET", "/health")
    assert (status, set(health["plugins"])) == (200, {"hostile", "keeper"})
    status, answer = workspace.ask("POST", "/execute", {"plugin": "keeper", "input": 2, "timeoutMs": 5000})
    assert (status, answer["output"]) == (200, ["keeper", 2])


def test_descriptors_of_the_runtime_are_its_own_in_python_alone(workspace: Workspace) -> None:
    """A process of Python has one socket, its end of the pair to the runtime. A thread of Node shares the descriptors
    of its process, the listening socket and the daemon's connections among them: ARCHITECTURE says what that means."""
    found = workspace.act("sockets")
    assert (len(found) == 1) is (workspace.language == "python"), found
    assert found


def test_what_a_descriptor_gives_away_has_no_secret_in_it(daemon: RealDaemon, client: Client) -> None:
    """A plugin in JavaScript reads what the daemon sends to its neighbour, from the process' own descriptors: it finds
    the neighbour's configuration, which is the control, and the secrets sealed. They arrive all the same."""
    owner, planted = "user:thief", f"planted-{secrets.token_hex(16)}"
    client.put_plugin(owner, "hostile", language="javascript", code=NODE)
    client.put_plugin(owner, "keeper", language="javascript", code=KEEPS)
    client.put_plugin_config(owner, "keeper", {"planted": planted})
    client.execute("thief", "keeper")
    for _ in range(TRIES):
        secret = f"secret-{secrets.token_hex(16)}"
        with ThreadPoolExecutor(2) as pool, daemon.client() as other:
            reading = pool.submit(client.execute, "thief", "hostile", ["read", [planted, 6000]])
            wait_for(lambda: other.health().inflight, 10)
            putting = pool.submit(other.put_secret, owner, "keeper", "API_KEY", secret)
            answer = reading.result()
            putting.result()
        assert answer.success, answer.error
        read = str(answer.output)
        if planted in read:
            break
    assert planted in read
    assert '"sealed":"' in read
    plain = secret.encode()
    for hidden in (secret, plain.hex(), *(base64.b64encode(b"x" * shift + plain).decode()[4:-4] for shift in range(3))):
        assert hidden not in read
    mine = client.execute("thief", "keeper")
    assert mine.output == secret[::-1], mine.error


def test_a_plugin_cannot_change_the_daemons_folder(workspace: Workspace) -> None:
    """It has neither its name nor its mode to give; a folder of the plugin's own, the control, it may move."""
    assert workspace.act("move", [PRIVATE, f"{FOLDER}/elsewhere"]) == "EPERM"
    assert workspace.act("open", PRIVATE) == "EPERM"
    assert workspace.act("remove", PRIVATE) in {"EPERM", "ENOTEMPTY"}
    assert workspace.act("link", ["/tmp", f"{FOLDER}/own"]) == "done"
    assert workspace.act("move", [f"{FOLDER}/own", "/run/wsmgr/moved"]) == "done"


def test_what_is_planted_in_the_old_place_is_not_looked_at(workspace: Workspace) -> None:
    """A link to a socket of the host where the runtime once bound its own: new connections go to the runtime, and the
    same container goes on."""
    before = workspace.daemon.container(workspace.id)["Id"]
    planted = workspace.act("link", [str(workspace.daemon.podman_socket), SOCKETS[0]])
    assert planted == "done"
    # Several at once need new connections.
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: workspace.act("wait", 300), range(4))) == [300] * 4
    assert workspace.daemon.container(workspace.id)["Id"] == before
    assert workspace.client.workspace(workspace.id).restarts == 0


def test_a_later_daemon_finds_the_socket(workspace: Workspace) -> None:
    """kill -9, and the next one adopts the container: it still answers, and still not to its plugin."""
    before = workspace.daemon.container(workspace.id)["Id"]
    workspace.daemon.kill()
    workspace.daemon.start()
    assert "connected" not in workspace.act("connect", SOCKETS)
    assert workspace.daemon.container(workspace.id)["Id"] == before
