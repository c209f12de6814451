"""A pytest plugin for programs that run many times slower than they are (valgrind, sanitizers): OPENSSPI_SLOWNESS=15 makes every bound on waiting fifteen times as long.

Tests bound what they wait for by time.monotonic(), by timeouts of subprocess, select and sockets. What a test waits for stays the same, and so does the time of day."""
import os
import select
import socket
import subprocess
import threading
import time

SLOWNESS = float(os.environ.get("OPENSSPI_SLOWNESS", "1"))
monotonic, real_select, socket_timeout = time.monotonic, select.select, socket.socket.settimeout
event_wait, thread_join = threading.Event.wait, threading.Thread.join


def longer(seconds):
    return None if seconds is None else seconds * SLOWNESS


if SLOWNESS > 1:
    time.monotonic = lambda: monotonic() / SLOWNESS
    subprocess._time = time.monotonic  # pylint: disable=protected-access # the clock that run(), communicate() and wait() look at
    select.select = lambda reading, writing, failing, timeout=None: real_select(reading, writing, failing, longer(timeout))
    socket.socket.settimeout = lambda self, timeout: socket_timeout(self, longer(timeout))
    threading.Event.wait = lambda self, timeout=None: event_wait(self, longer(timeout))
    threading.Thread.join = lambda self, timeout=None: thread_join(self, longer(timeout))
