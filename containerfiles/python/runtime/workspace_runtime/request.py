"""One HTTP/1.1 request, read as its bytes come in. What is over the cap is read and dropped."""

from __future__ import annotations

import re

from workspace_runtime.http_error import HttpError

HEAD_MOST = 8192
_LINE_MOST = 256
_METHOD = re.compile(rb"[A-Z]{1,16}")
_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")
_LENGTH = re.compile(rb"[0-9]{1,15}")


class BadRequest(Exception):
    """What came is not HTTP/1.1: the connection ends."""


class Request:
    """`feed` takes from the front of what has come, and says whether the request is whole. `refusal` is set when its
    body is over the cap; `body` is then empty."""

    def __init__(self, cap: int) -> None:
        self.method = ""
        self.target = ""
        self.authorization = b""
        self.keep_alive = True
        self.continues = False
        self.refusal: HttpError | None = None
        self.body = bytearray()
        self._cap = cap
        self._headed = False
        self._left = 0
        self._length: int | None = None
        self._chunked = False
        self._between = False  # behind a chunk, before the line end that closes it
        self._trailer = False

    def feed(self, came: bytearray) -> bool:
        """Raises BadRequest."""
        if not self._headed and not self._head(came):
            return False
        return self._chunks(came) if self._chunked else self._counted(came)

    def _head(self, came: bytearray) -> bool:
        while came[:2] == b"\r\n":
            del came[:2]
        end = came.find(b"\r\n\r\n", 0, HEAD_MOST + 4)
        if end < 0:
            if len(came) > HEAD_MOST:
                raise BadRequest
            return False
        lines = bytes(came[:end]).split(b"\r\n")
        del came[: end + 4]
        first = lines[0].split(b" ")
        if len(first) != 3 or not _METHOD.fullmatch(first[0]) or first[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise BadRequest
        self.method, self.target = first[0].decode(), first[1].decode("latin-1")
        self.keep_alive = first[2] == b"HTTP/1.1"
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not name or name != name.strip():
                raise BadRequest
            self._header(name.lower(), value.strip())
        if self._chunked and self._length is not None:
            raise BadRequest
        self._left = self._length or 0
        if self._left > self._cap:
            self._refuse()
        self._headed = True
        return True

    def _header(self, name: bytes, value: bytes) -> None:
        if name == b"content-length":
            if not _LENGTH.fullmatch(value) or self._length not in (None, int(value)):
                raise BadRequest
            self._length = int(value)
        elif name == b"authorization":
            self.authorization = value
        elif name == b"connection":
            options = value.lower()
            self.keep_alive = b"close" not in options and (self.keep_alive or b"keep-alive" in options)
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked" or self._chunked:
                raise BadRequest
            self._chunked = True
        elif name == b"expect":
            self.continues = value.lower() == b"100-continue"

    def _counted(self, came: bytearray) -> bool:
        taken = min(self._left, len(came))
        if taken:
            self._take(came, taken)
            self._left -= taken
        return self._left == 0

    def _chunks(self, came: bytearray) -> bool:
        while True:
            if self._left:
                if not came:
                    return False
                taken = min(self._left, len(came))
                self._take(came, taken)
                self._left -= taken
                self._between = self._left == 0
                continue
            end = came.find(b"\r\n", 0, _LINE_MOST)
            if end < 0:
                if len(came) >= _LINE_MOST:
                    raise BadRequest
                return False
            line = bytes(came[:end])
            del came[: end + 2]
            if self._line(line):
                return True

    def _line(self, line: bytes) -> bool:
        """A line between chunks; True for the last one."""
        if self._trailer:
            return line == b""
        if self._between:
            if line:
                raise BadRequest
            self._between = False
            return False
        size = line.partition(b";")[0].strip()
        if not _SIZE.fullmatch(size):
            raise BadRequest
        self._left = int(size, 16)
        self._trailer = self._left == 0
        return False

    def _take(self, came: bytearray, count: int) -> None:
        if self.refusal is None:
            self.body += came[:count]
            if len(self.body) > self._cap:
                self._refuse()
        del came[:count]

    def _refuse(self) -> None:
        self.body = bytearray()
        self.refusal = HttpError(413, "too_large", f"The request body may have at most {self._cap} bytes.")
