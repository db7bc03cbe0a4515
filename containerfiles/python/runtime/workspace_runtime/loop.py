"""The event loop: epoll, one ticker, and signals as bytes in a socket. (asyncio alone takes 45 ms to import.)"""

from __future__ import annotations

import select
import signal
import socket
import time
from collections.abc import Callable

READ = select.EPOLLIN | select.EPOLLRDHUP
WRITE = select.EPOLLOUT
_IDLE_S = 5.0
_SIGNALS_AT_ONCE = 256


class Loop:
    """Calls back with what epoll says of a descriptor. `on_tick` is called every `tick_s` while `ticking`; `on_idle`
    every few seconds."""

    def __init__(self, tick_s: float) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._tick_s = tick_s
        self._next_tick = 0.0
        self._ticking = False
        self._next_idle = time.monotonic() + _IDLE_S
        self._signals: dict[int, Callable[[], None]] = {}
        self._wakeup: socket.socket | None = None
        self.on_tick: Callable[[], None] = lambda: None
        self.on_idle: Callable[[], None] = lambda: None

    def add(self, fd: int, mask: int, callback: Callable[[int], None]) -> None:
        """Watch a descriptor."""
        self._callbacks[fd] = callback
        self._epoll.register(fd, mask)

    def change(self, fd: int, mask: int) -> None:
        """Watch it for something else, if it is watched."""
        if fd in self._callbacks:
            self._epoll.modify(fd, mask)

    def remove(self, fd: int) -> None:
        """Watch it no longer; to be called before it is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def tick(self, ticking: bool) -> None:
        """Start or stop the ticker."""
        if ticking and not self._ticking:
            self._next_tick = time.monotonic() + self._tick_s
        self._ticking = ticking

    def on_signal(self, number: int, callback: Callable[[], None]) -> None:
        """Call back, from the loop, when the signal has come."""
        if self._wakeup is None:
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            theirs.setblocking(False)
            signal.set_wakeup_fd(theirs.detach(), warn_on_full_buffer=False)
            self._wakeup = ours
            self.add(ours.fileno(), READ, self._signalled)
        self._signals[number] = callback
        signal.signal(number, _nothing)

    def run(self) -> None:
        """For ever."""
        while True:
            for fd, events in self._epoll.poll(self._patience()):
                callback = self._callbacks.get(fd)
                if callback is not None:
                    callback(events)
            now = time.monotonic()
            if self._ticking and now >= self._next_tick:
                self._next_tick = now + self._tick_s
                self.on_tick()
            if now >= self._next_idle:
                self._next_idle = now + _IDLE_S
                self.on_idle()

    def _patience(self) -> float:
        until = min(self._next_tick, self._next_idle) if self._ticking else self._next_idle
        return max(0.0, until - time.monotonic())

    def _signalled(self, _events: int) -> None:
        try:
            numbers = self._wakeup.recv(_SIGNALS_AT_ONCE) if self._wakeup is not None else b""
        except BlockingIOError:
            return
        for number in sorted(set(numbers)):
            if number in self._signals:
                self._signals[number]()


def _nothing(_number: int, _frame: object) -> None:
    """A handler must be there, so that the number is written to the wake-up descriptor."""
