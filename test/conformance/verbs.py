"""verbs.py: what actions do, one function per verb. The counterpart of verbs.ts, in the same order.

VERBS act at once; WAITS are awaited, so they count in coroutines only; each WAIT gives (awaitable, finish) where finish
turns the outcome into what the trace shows.
"""

import asyncio
import os
import signal
import socket
import ssl
import tempfile

from interpreter import call_body, coroutine, make_protocol
from world import FOLDER, START, Unbound, make_error

VERBS = {}
WAITS = {}


def verb(function):
    words = function.__name__.rstrip('_').split('_')
    VERBS[words[0] + ''.join(word.capitalize() for word in words[1:])] = function
    return function


def wait(function):
    verb(function)
    name, _ = VERBS.popitem()
    WAITS[name] = function
    return function


def signal_number(name):
    # A name that there is not is no valid number.
    return getattr(signal, name, 0) if isinstance(name, str) else name


def same(value):
    return value


def nothing(value):
    return None


# Scheduling.


@verb
def call_soon(w, f, name, body, args=()):
    w.bind(name, 'handle', w.loop.call_soon(call_body(w, body), *args))


@verb
def call_soon_threadsafe(w, f, name, body, args=()):
    w.bind(name, 'handle', w.loop.call_soon_threadsafe(call_body(w, body), *args))


@verb
def call_later(w, f, name, delay, body, args=()):
    w.bind(name, 'handle', w.loop.call_later(delay, call_body(w, body), *args))


@verb
def call_at(w, f, name, offset, body, args=()):
    w.bind(name, 'handle', w.loop.call_at(START + offset, call_body(w, body), *args))


@verb
def call_at_none(w, f, body):
    w.loop.call_at(None, call_body(w, body))


@verb
def call_soon_bad(w, f, name):
    w.bind(name, 'handle', w.loop.call_soon(42))


@verb
def cancel_handle(w, f, name):
    w.get(f, name, 'handle').cancel()


@verb
def handle_cancelled(w, f, name):
    return w.get(f, name, 'handle').cancelled()


@verb
def when(w, f, name):
    handle = w.get(f, name, 'handle')
    if not isinstance(handle, asyncio.TimerHandle):
        raise Unbound()
    return handle.when()


# The loop.


@verb
def stop(w, f):
    w.loop.stop()


@verb
def time(w, f):
    return w.loop.time()


@verb
def advance(w, f, seconds):
    w.clock.now += seconds


@verb
def is_running(w, f):
    return w.loop.is_running()


@verb
def is_closed(w, f):
    return w.loop.is_closed()


@verb
def close_loop(w, f):
    w.loop.close()


@verb
def set_debug(w, f, enabled):
    w.loop.set_debug(enabled)


@verb
def set_handler(w, f, body):
    if body is None:
        w.loop.set_exception_handler(None)
        return
    callback = call_body(w, body)
    w.loop.set_exception_handler(lambda loop, context: callback(w.encode_context(context)))


@verb
def set_handler_bad(w, f):
    w.loop.set_exception_handler(42)


@verb
def call_handler(w, f, message, error):
    w.loop.call_exception_handler({'message': message, 'exception': make_error(error, '#told')})


@verb
def add_signal_handler(w, f, sig, body, args=()):
    w.loop.add_signal_handler(signal_number(sig), call_body(w, body), *args)


@verb
def add_signal_handler_bad(w, f, sig):
    async def body():
        pass
    w.loop.add_signal_handler(signal_number(sig), body)


@verb
def remove_signal_handler(w, f, sig):
    return w.loop.remove_signal_handler(signal_number(sig))


@verb
def kill(w, f, sig):
    # The default action of a signal that is killed with is to do nothing.
    os.kill(os.getpid(), signal_number(sig))


@verb
def ready_count(w, f):
    return len(w.loop._ready)


@verb
def timer_count(w, f):
    return [len(w.loop._scheduled), w.loop._timer_cancelled_count]


# Futures and tasks.


@verb
def future(w, f, name):
    w.bind(name, 'future', w.loop.create_future())


@verb
def set_result(w, f, name, value):
    w.get(f, name, 'future', 'task').set_result(value)


@verb
def set_exception(w, f, name, error, message=None):
    w.get(f, name, 'future', 'task').set_exception(make_error(error, message))


@verb
def set_exception_class(w, f, name, error):
    w.get(f, name, 'future').set_exception(type(make_error(error)))


@verb
def set_exception_bad(w, f, name):
    w.get(f, name, 'future').set_exception(42)


@verb
def cancel(w, f, name, message=None):
    return w.get(f, name, 'future', 'task').cancel(message)


@verb
def done(w, f, name):
    return w.get(f, name, 'future', 'task').done()


@verb
def cancelled(w, f, name):
    return w.get(f, name, 'future', 'task').cancelled()


@verb
def result(w, f, name):
    return w.get(f, name, 'future', 'task').result()


@verb
def exception(w, f, name):
    return w.get(f, name, 'future', 'task').exception()


@verb
def add_done_callback(w, f, name, body):
    w.get(f, name, 'future', 'task').add_done_callback(call_body(w, body))


@verb
def remove_done_callback(w, f, name, body):
    return w.get(f, name, 'future', 'task').remove_done_callback(call_body(w, body))


@verb
def task(w, f, name, body):
    w.body(body)
    inner = coroutine(w, body, name)
    try:
        w.bind(name, 'task', w.loop.create_task(inner))
    except BaseException:
        inner.close()
        raise


@verb
def uncancel(w, f, name):
    return w.get(f, name, 'task').uncancel()


@verb
def cancelling(w, f, name):
    return w.get(f, name, 'task').cancelling()


@verb
def current_task(w, f):
    return asyncio.current_task(w.loop)


@verb
def cancel_self(w, f, message=None):
    current = asyncio.current_task(w.loop)
    if current is None:
        raise Unbound()
    return current.cancel(message)


@verb
def uncancel_self(w, f):
    current = asyncio.current_task(w.loop)
    if current is None:
        raise Unbound()
    return current.uncancel()


@verb
def task_count(w, f):
    return len(asyncio.all_tasks(w.loop))


@wait
def await_(w, f, name):
    return w.get(f, name, 'future', 'task'), same


@wait
def sleep(w, f, delay):
    return asyncio.sleep(delay), nothing


@wait
def call(w, f, body):
    w.body(body)
    if f.depth >= 4:
        raise Unbound()
    return coroutine(w, body, f.who, f.depth + 1), same


# Bare sockets.


def bind_sock(w, name, sock):
    sock.setblocking(False)
    w.bind(name, 'sock', sock)
    w.things[name + '#'] = ('number', sock.fileno())


@verb
def socketpair(w, f, one, two, sndbuf=None):
    pair = socket.socketpair()
    for name, sock in zip((one, two), pair):
        if sndbuf is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf)
        bind_sock(w, name, sock)


@verb
def send(w, f, name, size):
    sock = w.get(f, name, 'sock')
    data = w.pattern('send ' + name, size)
    sent = 0
    try:
        sent = sock.send(data)
    finally:
        w.counters['send ' + name] -= size - sent
    return sent


@verb
def recv(w, f, name, size):
    return w.get(f, name, 'sock').recv(size)


@verb
def fill(w, f, name):
    sock = w.get(f, name, 'sock')
    total = 0
    while total < 1 << 24:
        try:
            total += sock.send(bytes(65536))
        except BlockingIOError:
            break
    return total


@verb
def drain(w, f, name):
    sock = w.get(f, name, 'sock')
    data = b''
    try:
        while len(data) < 1 << 24:
            chunk = sock.recv(65536)
            if chunk == b'':
                return [data, 'eof']
            data += chunk
    except BlockingIOError:
        pass
    except OSError as error:
        return [data, error]
    return [data]


@verb
def shutdown(w, f, name, how):
    w.get(f, name, 'sock').shutdown(getattr(socket, 'SHUT_' + how))


@verb
def close_sock(w, f, name):
    # The number may belong to something else from now on.
    w.get(f, name, 'sock').close()
    w.things.pop(name + '#', None)


@verb
def fileno(w, f, name):
    return w.get(f, name, 'sock').fileno() >= 0


@verb
def add_reader(w, f, ref, body, args=()):
    w.loop.add_reader(w.fd(f, ref), call_body(w, body), *args)


@verb
def remove_reader(w, f, ref):
    return w.loop.remove_reader(w.fd(f, ref))


@verb
def add_writer(w, f, ref, body, args=()):
    w.loop.add_writer(w.fd(f, ref), call_body(w, body), *args)


@verb
def remove_writer(w, f, ref):
    return w.loop.remove_writer(w.fd(f, ref))


@verb
def add_reader_at(w, f, fd, body):
    w.loop.add_reader(fd, call_body(w, body))


@verb
def remove_reader_at(w, f, fd):
    return w.loop.remove_reader(fd)


@verb
def add_reader_to(w, f, what, body):
    """A thing that is no socket: a regular file, or nothing that has a descriptor at all."""
    thing = 'text'
    if what == 'file':
        thing = open(os.path.join(FOLDER, 'gists.json'))
        w.files.append(thing)
    w.loop.add_reader(thing, call_body(w, body))


@verb
def cancel_reader(w, f, ref):
    """Cancels the handle of a reader directly, as only internals can."""
    w.loop._selector.get_map()[w.fd(f, ref)].data[0].cancel()


@wait
def sock_recv(w, f, name, size):
    return w.loop.sock_recv(w.get(f, name, 'sock'), size), same


@wait
def sock_recv_into(w, f, name, size):
    buffer = bytearray(size)
    return w.loop.sock_recv_into(w.get(f, name, 'sock'), buffer), lambda count: [count, bytes(buffer[:count])]


@wait
def sock_sendall(w, f, name, size):
    sock = w.get(f, name, 'sock')
    return w.loop.sock_sendall(sock, w.pattern('send ' + name, size)), same


@wait
def sock_accept(w, f, listener, name):
    def finish(pair):
        bind_sock(w, name, pair[0])
        return pair[0].getblocking()
    return w.loop.sock_accept(w.get(f, listener, 'sock')), finish


@wait
def sock_connect(w, f, name, listener):
    return w.loop.sock_connect(w.get(f, name, 'sock'), address_of(w, f, listener)), nothing


@verb
def stream_sock(w, f, name):
    bind_sock(w, name, socket.socket(socket.AF_UNIX))


# Transports.


@verb
def transport(w, f, name, sock, template, waiter=None):
    sock = w.get(f, sock, 'sock')
    waiter = None if waiter is None else w.get(f, waiter, 'future')
    protocol = make_protocol(w, template)
    protocol.transport = w.bind(name, 'transport', w.loop._make_socket_transport(sock, protocol, waiter))


def transport_verb(name, method=None):
    def run(w, f, transport, *args):
        return getattr(w.get(f, transport, 'transport'), method or name)(*args)
    run.__name__ = name
    return verb(run)


for pair in (
    ('close', 'close'), ('abort', None), ('pause_reading', None), ('resume_reading', None), ('is_closing', None),
    ('is_reading', None), ('write_eof', None), ('can_write_eof', None), ('buffer_size', 'get_write_buffer_size'),
    ('limits', 'get_write_buffer_limits'),
):
    transport_verb(*pair)


def key_of(w, transport):
    return 'write ' + w.names.get(id(transport), '')


@verb
def write(w, f, name, size):
    transport = w.get(f, name, 'transport')
    transport.write(w.pattern(key_of(w, transport), size))


@verb
def writelines(w, f, name, sizes):
    transport = w.get(f, name, 'transport')
    transport.writelines([w.pattern(key_of(w, transport), size) for size in sizes])


@verb
def writelines_many(w, f, name, count, size):
    transport = w.get(f, name, 'transport')
    transport.writelines([w.pattern(key_of(w, transport), size) for _ in range(count)])


@verb
def write_bad(w, f, name):
    w.get(f, name, 'transport').write('text')


@verb
def writelines_bad(w, f, name):
    w.get(f, name, 'transport').writelines([b'fine', 'text'])


@verb
def memory(w, f, name, size, value):
    w.bind(name, 'memory', bytearray([value] * size))


@verb
def fill_memory(w, f, name, value):
    memory = w.get(f, name, 'memory')
    for index in range(len(memory)):
        memory[index] = value


@verb
def write_memory(w, f, name, memory):
    w.get(f, name, 'transport').write(w.get(f, memory, 'memory'))


@verb
def set_limits(w, f, name, high=None, low=None):
    w.get(f, name, 'transport').set_write_buffer_limits(high=high, low=low)


@verb
def set_protocol(w, f, name, template):
    transport = w.get(f, name, 'transport')
    protocol = make_protocol(w, template)
    protocol.transport = transport
    transport.set_protocol(protocol)


@verb
def get_protocol(w, f, name):
    return w.get(f, name, 'transport').get_protocol()


@verb
def extra(w, f, name, key):
    return w.get(f, name, 'transport').get_extra_info(key, 'missing') not in ('missing', None)


# TLS.


def tls_context(w, server_side, options):
    """One context for each way of being asked, so that a session may be resumed."""
    key = repr((server_side, sorted((key, str(value)) for key, value in options.items())))
    if key not in w.contexts:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
        if 'version' in options:
            context.minimum_version = context.maximum_version = VERSIONS[options['version']]
        if 'ciphers' in options:
            context.set_ciphers(options['ciphers'])
        if 'alpn' in options:
            context.set_alpn_protocols(options['alpn'])
        own = options.get('identity', 'identity' if server_side else None)
        if own is not None:
            context.load_cert_chain(os.path.join(FOLDER, own + '.pem'))
        trusted = options.get('trust', None if server_side else 'identity')
        if trusted is not None:
            context.load_verify_locations(os.path.join(FOLDER, trusted + '.pem'))
        if server_side and trusted is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        w.contexts[key] = context
    return w.contexts[key]


VERSIONS = {'1.2': ssl.TLSVersion.TLSv1_2, '1.3': ssl.TLSVersion.TLSv1_3}


def tls_timeouts(options):
    return {'ssl_handshake_timeout': options.get('handshake'), 'ssl_shutdown_timeout': options.get('shutdown')}


@verb
def tls(w, f, name, sock, template, options, waiter=None):
    sock = w.get(f, sock, 'sock')
    waiter = None if waiter is None else w.get(f, waiter, 'future')
    server_side = options.get('server', False)
    protocol = make_protocol(w, template)
    made = w.loop._make_ssl_transport(
        sock, protocol, tls_context(w, server_side, options), waiter, server_side=server_side,
        server_hostname=None if server_side else options.get('name', 'localhost'), **tls_timeouts(options),
    )
    protocol.transport = w.bind(name, 'transport', made)


@wait
def start_tls(w, f, name, transport, options):
    """With the protocol that the transport has."""
    transport = w.get(f, transport, 'transport')
    protocol = transport.get_protocol()
    server_side = options.get('server', False)

    def finish(made):
        if made is not None:
            w.bind(name, 'transport', made)
            protocol.transport = made
            protocol.is_upgraded = True
        return made
    return w.loop.start_tls(
        transport, protocol, tls_context(w, server_side, options), server_side=server_side,
        server_hostname=None if server_side else options.get('name', 'localhost'), **tls_timeouts(options),
    ), finish


@verb
def tls_info(w, f, name):
    """[version, ALPN protocol, common name of the peer]"""
    transport = w.get(f, name, 'transport')
    made = transport.get_extra_info('ssl_object')
    if made is None:
        return None
    certificate = transport.get_extra_info('peercert')
    names = dict(entry[0] for entry in certificate['subject']) if certificate else {}
    return [made.version(), made.selected_alpn_protocol(), names.get('commonName')]


@verb
def read_buffer_size(w, f, name):
    return w.get(f, name, 'transport').get_read_buffer_size()


@verb
def read_limits(w, f, name):
    return w.get(f, name, 'transport').get_read_buffer_limits()


@verb
def set_read_limits(w, f, name, high=None, low=None):
    w.get(f, name, 'transport').set_read_buffer_limits(high=high, low=low)


# Servers and connections.


def listener_sock(w):
    path = os.path.join(tempfile.gettempdir(), f'fdloop-py-{os.getpid()}-{w.count("path")}.sock')
    if os.path.exists(path):
        os.unlink(path)
    w.paths.append(path)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    return sock


def address_of(w, f, name):
    kind, value = w.things.get(name, (None, None))
    if kind not in ('server', 'sock'):
        raise Unbound()
    if kind == 'sock':
        return value.getsockname()
    address = w.things.get(name + ' address')
    if address is None:
        raise Unbound()
    return address[1]


@verb
def listener(w, f, name, backlog=10):
    sock = listener_sock(w)
    sock.listen(backlog)
    bind_sock(w, name, sock)


@verb
def connect(w, f, name, server):
    address = address_of(w, f, server)
    sock = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
    bind_sock(w, name, sock)
    try:
        sock.connect(address)
    except BlockingIOError:
        if not isinstance(address, tuple):
            raise


@wait
def server(w, f, name, template, options):
    factory = protocol_factory(w, template)
    kept = {'backlog': options.get('backlog', 100), 'start_serving': options.get('start', True)}
    if 'tls' in options:
        kept['ssl'] = tls_context(w, True, options['tls'])
        kept.update(tls_timeouts(options['tls']))
    if options.get('tcp'):
        awaitable = w.loop.create_server(factory, '127.0.0.1', 0, **kept)
    else:
        awaitable = w.loop.create_server(factory, sock=listener_sock(w), **kept)

    def finish(value):
        w.bind(name, 'server', value)
        w.things[name + ' address'] = ('address', value.sockets[0].getsockname())
    return awaitable, finish


def protocol_factory(w, template):
    return lambda: make_protocol(w, template)


@wait
def connection(w, f, name, server, template, options=None):
    address = address_of(w, f, server)
    factory = protocol_factory(w, template)
    kept = {}
    if options is not None:
        kept = {'ssl': tls_context(w, False, options), 'server_hostname': options.get('name', 'localhost')}
        kept.update(tls_timeouts(options))
    if isinstance(address, tuple):
        awaitable = w.loop.create_connection(factory, *address, **kept)
    else:
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        awaitable = w.loop.create_connection(factory, sock=sock, **kept)

    def finish(pair):
        w.bind(name, 'transport', pair[0])
        return [pair[0].is_closing(), pair[1]]
    return awaitable, finish


@wait
def connection_of(w, f, name, sock, template):
    sock = w.get(f, sock, 'sock')

    def finish(pair):
        w.bind(name, 'transport', pair[0])
        return [pair[0].is_closing(), pair[1]]
    return w.loop.create_connection(protocol_factory(w, template), sock=sock), finish


@wait
def refused(w, f, template):
    """A connection to a port where nobody listens."""
    sock = socket.socket()
    sock.bind(('127.0.0.1', 0))
    port = sock.getsockname()[1]
    sock.close()
    return w.loop.create_connection(protocol_factory(w, template), '127.0.0.1', port), same


@wait
def bad_connection(w, f, template, what):
    factory = protocol_factory(w, template)
    if what == 'neither':
        return w.loop.create_connection(factory), same
    if what == 'both':
        sock = w.get(f, 'both', 'sock')
        return w.loop.create_connection(factory, '127.0.0.1', 1, sock=sock), same
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    w.kept.append(sock)
    return w.loop.create_connection(factory, sock=sock), same


@verb
def close_server(w, f, name):
    w.get(f, name, 'server').close()


@verb
def is_serving(w, f, name):
    return w.get(f, name, 'server').is_serving()


@verb
def socket_count(w, f, name):
    return len(w.get(f, name, 'server').sockets)


@wait
def start_serving(w, f, name):
    return w.get(f, name, 'server').start_serving(), nothing


@wait
def serve_forever(w, f, name):
    return w.get(f, name, 'server').serve_forever(), nothing


@wait
def wait_closed(w, f, name):
    return w.get(f, name, 'server').wait_closed(), nothing


# The verbs of files of their own put themselves into the tables above.

import child_verbs  # noqa: E402, F401
import pipe_verbs  # noqa: E402, F401
import stream_verbs  # noqa: E402, F401
import sync_verbs  # noqa: E402, F401
import task_verbs  # noqa: E402, F401
