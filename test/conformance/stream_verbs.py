"""stream_verbs.py: what actions do with streams. The counterpart of stream-verbs.ts, in the same order."""

import asyncio

from verbs import nothing, same, verb, wait


def reader(w, f, name):
    return w.get(f, name, 'streams')[0]


def writer(w, f, name):
    return w.get(f, name, 'streams')[1]


@verb
def streams(w, f, name, sock, limit):
    """A reader and a writer over a socket."""
    made = asyncio.StreamReader(limit=limit, loop=w.loop)
    protocol = asyncio.StreamReaderProtocol(made, loop=w.loop)
    transport = w.loop._make_socket_transport(w.get(f, sock, 'sock'), protocol)
    w.names[id(transport)] = name
    w.bind(name, 'streams', (made, asyncio.StreamWriter(transport, protocol, made, w.loop)))


@verb
def stream_write(w, f, name, size):
    writer(w, f, name).write(w.pattern(f'write {name}', size))


@verb
def stream_writelines(w, f, name, sizes):
    writer(w, f, name).writelines([w.pattern(f'write {name}', size) for size in sizes])


@verb
def stream_write_eof(w, f, name):
    writer(w, f, name).write_eof()


@verb
def stream_close(w, f, name):
    writer(w, f, name).close()


@verb
def stream_abort(w, f, name):
    writer(w, f, name).transport.abort()


@verb
def stream_limits(w, f, name, high, low):
    writer(w, f, name).transport.set_write_buffer_limits(high, low)


@verb
def stream_state(w, f, name):
    found, out = w.get(f, name, 'streams')
    return [found.at_eof(), found.exception(), out.is_closing(), out.transport.is_reading()]


@verb
def feed_eof(w, f, name):
    reader(w, f, name).feed_eof()


@verb
def feed_data(w, f, name, text):
    reader(w, f, name).feed_data(text.encode())


@verb
def feed_exception(w, f, name):
    reader(w, f, name).set_exception(ValueError('#fed'))


@wait
def read(w, f, name, size):
    return reader(w, f, name).read(size), same


@wait
def readexactly(w, f, name, size):
    return reader(w, f, name).readexactly(size), same


@wait
def readuntil(w, f, name, separator):
    return reader(w, f, name).readuntil(bytes(separator)), same


@wait
def readline(w, f, name):
    return reader(w, f, name).readline(), same


@wait
def drain_stream(w, f, name):
    return writer(w, f, name).drain(), nothing


@wait
def stream_closed(w, f, name):
    return writer(w, f, name).wait_closed(), nothing
