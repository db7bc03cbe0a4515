"""The entry point of the Python workspace runtime: wires the parts together, listens, and handles signals.

  main → spawner → child/*      what plugins' processes are forked from, and what runs in them
       → settings               what the environment says
       → server → routes        HTTP, in a process that never runs plugin code
       → plugins                which version of each plugin is current
       → pool → crew → worker   queue, warm processes, one execution at a time per process
       worker → line, pipes     what a process says, and what it prints past that
       → guard                  deadlines, memory and leftovers, one shared ticker

Standard library only, and little of it: every import here delays the start of each workspace.
"""

from __future__ import annotations

import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from workspace_runtime import kernel
from workspace_runtime.crew import Crew
from workspace_runtime.guard import TICK_S, Guard
from workspace_runtime.listen import listen
from workspace_runtime.loop import Loop
from workspace_runtime.plugins import Plugins
from workspace_runtime.pool import Pool
from workspace_runtime.routes import Routes
from workspace_runtime.server import Server
from workspace_runtime.settings import Settings, SettingsError
from workspace_runtime.spawner import Spawner, SpawnerEnded
from workspace_runtime.timer import Timer

_DRAIN_ON_SIGNAL_S = 5.0
_PROCESSES_END_S = 1.0


def say(fd: int, **told: object) -> None:
    """One line of JSON. Whoever read it may have gone; that is no reason to stop serving."""
    try:
        os.write(fd, json.dumps(told).encode() + b"\n")
    except OSError:
        return


def leave(code: int) -> None:
    """At once; plugins' processes are killed by the kernel with it."""
    os._exit(code)


def reap(crew: Crew, spawner: Spawner, guard: Guard) -> None:
    """Wait for every process that has ended, plugins' and what they left behind; the end of each may have made more
    orphans."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid == spawner.pid:
            raise SpawnerEnded
        crew.reaped(pid, status)
        guard.sweep()


def handle_signals(loop: Loop, server: Server, pool: Pool, crew: Crew, timer: Timer) -> None:
    """The first one lets calls finish for a while, a second one does not wait."""
    stopping = False

    def end() -> None:
        timer.after(_PROCESSES_END_S, lambda: leave(0))
        pool.cancel_all()
        crew.end_all(lambda: leave(0))

    def stop() -> None:
        nonlocal stopping
        if stopping:
            leave(0)
        stopping = True
        server.close()
        timer.after(_DRAIN_ON_SIGNAL_S, end)
        pool.drain(end)

    loop.on_signal(signal.SIGTERM, stop)
    loop.on_signal(signal.SIGINT, stop)


def start(spawner: Spawner) -> Loop:
    """Everything but the loop. Raises SettingsError, OSError."""
    settings = Settings(os.environ)
    kernel.wipe_environment()
    kernel.name_process("runtime")
    if not settings.open_proc:
        kernel.hide()
    loop = Loop(TICK_S)
    guard = Guard(settings, loop, spawner.pid)
    crew = Crew(settings, loop, guard, spawner)
    pool = Pool(settings, guard, crew)
    routes = Routes(settings, Plugins(pool, settings.plugin_dir), pool, crew)
    listening, address = listen(settings)
    server = Server(listening, loop, settings, routes.find, routes.gone)
    loop.on_idle = server.sweep
    loop.on_signal(signal.SIGCHLD, lambda: reap(crew, spawner, guard))
    handle_signals(loop, server, pool, crew, Timer(loop))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    say(1, msg="listening", address=address)
    return loop


def main() -> None:
    """Never returns."""
    spawner = Spawner.start()
    try:
        loop = start(spawner)
    except (SettingsError, OSError) as error:
        say(2, msg="cannot start", error=str(error))
        leave(2)
    else:
        try:
            loop.run()
        except SpawnerEnded:
            say(2, msg="fatal", error="The process that plugins are forked from has ended.")
        except BaseException as error:
            # The state is unknown: say so and leave, the daemon starts us again.
            import traceback  # noqa: PLC0415

            say(2, msg="fatal", error="".join(traceback.format_exception(error))[-4096:])
        leave(1)


main()
