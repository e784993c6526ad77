"""pipe_verbs.py: what actions do with the ends of pipes. The counterpart of pipe-verbs.ts, in the same order."""

import os

from interpreter import make_protocol
from verbs import protocol_factory, verb, wait


def end(w, f, name):
    """The end of a pipe, or a socket."""
    return w.get(f, name, 'pipe', 'sock')


def make_transport(w, f, name, pipe_name, template, waiter, make):
    owned = end(w, f, pipe_name)
    waiting = None if waiter is None else w.get(f, waiter, 'future')
    protocol = make_protocol(w, template)
    made = make(owned, protocol, waiting)
    w.bind(name, 'transport', made)
    protocol.transport = made


def shown(w, name):
    def finish(pair):
        w.bind(name, 'transport', pair[0])
        return [pair[0].is_closing(), pair[1]]
    return finish


@verb
def pipe(w, f, reader, writer):
    """Both ends of a pipe."""
    for fd, name, mode in zip(os.pipe(), (reader, writer), ('rb', 'wb')):
        os.set_blocking(fd, False)
        w.bind(name, 'pipe', os.fdopen(fd, mode, 0))


@verb
def pipe_write(w, f, name, size):
    fd = end(w, f, name).fileno()
    key = f'pipe {name}'
    data = w.pattern(key, size)
    written = 0
    try:
        written = os.write(fd, data)
    finally:
        w.counters[key] -= size - written
    return written


@verb
def pipe_read(w, f, name, size):
    return os.read(end(w, f, name).fileno(), size)


@verb
def pipe_drain(w, f, name):
    fd = end(w, f, name).fileno()
    data = b''
    try:
        while True:
            chunk = os.read(fd, 65536)
            if chunk == b'':
                return [data, 'eof']
            data += chunk
    except BlockingIOError:
        return [data]
    except OSError as error:
        return [data, error]


@verb
def pipe_close(w, f, name):
    end(w, f, name).close()


@verb
def pipe_is_open(w, f, name):
    pipe = end(w, f, name)
    return pipe.fileno() >= 0 if hasattr(pipe, 'recv') else not pipe.closed


@verb
def read_pipe(w, f, name, pipe_name, template, waiter=None):
    make_transport(w, f, name, pipe_name, template, waiter, w.loop._make_read_pipe_transport)


@verb
def write_pipe(w, f, name, pipe_name, template, waiter=None):
    make_transport(w, f, name, pipe_name, template, waiter, w.loop._make_write_pipe_transport)


@wait
def connect_read_pipe(w, f, name, pipe_name, template):
    return w.loop.connect_read_pipe(protocol_factory(w, template), end(w, f, pipe_name)), shown(w, name)


@wait
def connect_write_pipe(w, f, name, pipe_name, template):
    return w.loop.connect_write_pipe(protocol_factory(w, template), end(w, f, pipe_name)), shown(w, name)


def close_pipes(w):
    """The program is over: what still has its pipe lets go of it."""
    for thing in w.kept:
        if hasattr(thing, '_pipe'):
            thing._pipe = None
        elif hasattr(thing, 'readinto') and hasattr(thing, 'closefd'):
            thing.close()
