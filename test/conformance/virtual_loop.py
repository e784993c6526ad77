"""virtual_loop.py: asyncio's loop in virtual time, and its repaired defects. The counterpart of virtual-loop.ts."""

import ast
import asyncio
import inspect
import selectors
import ssl
import time
from asyncio import selector_events, sslproto, unix_events

from world import START, Stuck

SELECTORS = {
    'epoll': selectors.EpollSelector,
    'poll': selectors.PollSelector,
    'select': selectors.SelectSelector,
}


State = sslproto.SSLProtocolState


class Clock:
    now = START


class VirtualSelector:
    """Never waits: with nothing ready it moves the clock to the end of the wait. Ready descriptors come in the order in
    which they were registered, whatever the system's facility says, unless the order is to be the kernel's."""

    def __init__(self, world, inner, order, quiet):
        self._world = world
        self._inner = inner
        self._sorts = order != 'kernel'
        self._quiet = quiet
        self._entered = {}
        self._counter = 0

    def register(self, fileobj, events, data=None):
        key = self._inner.register(fileobj, events, data)
        self._counter += 1
        self._entered[key.fd] = self._counter
        return key

    def unregister(self, fileobj):
        key = self._inner.unregister(fileobj)
        self._entered.pop(key.fd, None)
        return key

    def modify(self, fileobj, events, data=None):
        return self._inner.modify(fileobj, events, data)

    def get_key(self, fileobj):
        return self._inner.get_key(fileobj)

    def get_map(self):
        return self._inner.get_map()

    def close(self):
        self._inner.close()

    def select(self, timeout=None):
        if self._quiet:
            time.sleep(0.001)
        ready = self._inner.select(0)
        if self._sorts:
            ready.sort(key=lambda entry: self._entered.get(entry[0].fd, 0))
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise Stuck()
        self._world.clock.now += timeout
        return ready


class Ordered(dict):
    """A set in the order in which things came, as JavaScript's: that of a real one depends on where they lie."""

    def __init__(self, items=()):
        super().__init__((item, True) for item in items)

    def add(self, item):
        self[item] = True

    def discard(self, item):
        self.pop(item, None)

    remove = discard


def with_ordered_sets(function):
    """The same function with its sets in order."""

    class Sets(ast.NodeTransformer):
        def visit_SetComp(self, node):
            self.generic_visit(node)
            items = ast.GeneratorExp(node.elt, node.generators)
            return ast.copy_location(ast.Call(ast.Name('Ordered', ast.Load()), [items], []), node)

        def visit_Name(self, node):
            return ast.copy_location(ast.Name('Ordered', node.ctx), node) if node.id == 'set' else node

    tree = ast.fix_missing_locations(Sets().visit(ast.parse(inspect.getsource(function))))
    names = {**function.__globals__, '__package__': 'asyncio', 'Ordered': Ordered}
    exec(compile(tree, function.__code__.co_filename, 'exec'), names)
    return names[function.__name__]


as_completed = with_ordered_sets(asyncio.as_completed)
asyncio.wait = with_ordered_sets(asyncio.wait)


class RepairedTaskGroup(asyncio.TaskGroup):
    """asyncio's group of tasks, without the defect of RUN-052: what it asked of its parent is taken back at the end, and a
    request from outside is not lost."""

    def __init__(self):
        super().__init__()
        self._tasks = Ordered()

    async def __aexit__(self, et, exc, tb):
        requested, self._parent_cancel_requested = self._parent_cancel_requested, False
        parent = self._parent_task
        try:
            return await super().__aexit__(et, exc, tb)
        except BaseExceptionGroup:
            if requested or self._parent_cancel_requested:
                parent.uncancel()
            if parent.cancelling():
                parent.uncancel()
                parent.cancel()
            raise


class Over(Exception):
    """Nothing is left to do for a write callback."""


class RepairedTransport(selector_events._SelectorSocketTransport):
    """asyncio's stream transport without the defects that fdloop repairs, each by the name of its fact."""

    _ended_in_resume = False

    def set_protocol(self, protocol):
        carry_over(self, protocol)
        super().set_protocol(protocol)

    def close(self):
        # TCP-062, TCP-074: the write callback is still needed while buffered data goes out.
        write_ready = self._write_ready
        super().close()
        self._write_ready = write_ready

    def writelines(self, chunks):
        super().writelines([])
        # TCP-073: an empty piece would stay for ever. TCP-075: what comes after the end is dropped.
        kept = [chunk for chunk in map(memoryview, chunks) if len(chunk) > 0]
        if kept and not self._conn_lost:
            super().writelines(kept)
            # TCP-072: the marks count here too.
            if self._buffer:
                self._maybe_pause_protocol()

    # TCP-061, TR-008: when resume_writing ends the connection, connection_lost is queued already; asyncio calls it here
    # too, and the queued call fails.

    def _maybe_resume_protocol(self):
        before = self._conn_lost
        super()._maybe_resume_protocol()
        if self._sock is None:
            raise Over()
        self._ended_in_resume = before == 0 and self._conn_lost > 0

    def _write_sendmsg(self):
        # TCP-074 again: writelines in resume_writing may have sent all and delivered connection_lost already.
        try:
            super()._write_sendmsg()
        except Over:
            pass

    def _call_connection_lost(self, exc):
        if self._ended_in_resume:
            self._ended_in_resume = False
            return
        # TR-032: called from the write callback, the counter is still 0, and what comes after would not be dropped.
        self._conn_lost = max(self._conn_lost, 1)
        super()._call_connection_lost(exc)


class RepairedWritePipe(unix_events._UnixWritePipeTransport):
    """asyncio's transport of the writing end of a pipe without the defects that fdloop repairs."""

    def _close(self, exc=None):
        # UNIX-042: after the end there is nothing to end.
        if self._loop is not None:
            super()._close(exc)

    def _call_connection_lost(self, exc):
        # UNIX-042, and after a close in resume_writing: the second call would fail.
        if self._pipe is None:
            return
        if self._buffer:
            # What resume_writing wrote before it closed goes out first.
            self._loop._add_reader(self._fileno, self._read_ready)
            return
        # Closed in connection_made, its number would stay watched.
        self._loop._remove_reader(self._fileno)
        super()._call_connection_lost(exc)


class RepairedSSLTransport(sslproto._SSLProtocolTransport):
    """asyncio's TLS transport without the defects that fdloop repairs."""

    def close(self):
        # TLS-050: a second close changes nothing.
        if self._closed:
            return
        if self._ssl_protocol._state == State.FLUSHING:
            # TLS-058: after the end of the stream, with reading paused: the rest is not wanted.
            self._closed = True
            self._loop.call_soon(self._ssl_protocol._give_up_reading)
        else:
            super().close()

    def set_protocol(self, protocol):
        carry_over(self, protocol)
        super().set_protocol(protocol)

    def __del__(self):
        # TLS-082: what a garbage collector would report.
        pass


class RepairedSSLProtocol(sslproto.SSLProtocol):
    """asyncio's TLS protocol without the defects that fdloop repairs."""

    _flushing = False
    _completes = False

    def _get_app_transport(self):
        if self._app_transport is None:
            self._app_transport = RepairedSSLTransport(self._loop, self)
        return self._app_transport

    def connection_made(self, transport):
        # TLS-071: closed before it began to speak, it does not begin.
        if self._app_transport._closed:
            self._transport = transport
            transport.abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc):
        # TLS-067: a connection that is gone is no handshake that went well.
        waiter, self._waiter = self._waiter, None
        super().connection_lost(exc)
        # TLS-042, TLS-065: what is dropped does not wait any more.
        self._write_buffer_size = 0
        self._waiter = waiter
        self._wakeup_waiter(exc or ConnectionAbortedError())

    def _start_handshake(self):
        super()._start_handshake()
        # TLS-020: the loop may begin to debug in the middle.
        self._handshake_start_time = self._loop.time()

    def _control_app_writing(self):
        # TLS-043: when the connection is lost there is nobody to tell.
        if self._app_protocol is not None:
            super()._control_app_writing()

    def _control_ssl_reading(self):
        # TLS-045: without a connection there is nothing to pause.
        if self._transport is not None:
            super()._control_ssl_reading()

    def _abort(self, exc=None):
        # TLS-064: the error of a forced close goes down.
        self._set_state(State.UNWRAPPED)
        if self._transport is not None:
            self._transport._force_close(exc)

    def _on_handshake_complete(self, handshake_exc):
        self._completes = handshake_exc is None
        super()._on_handshake_complete(handshake_exc)

    def _do_write(self):
        # TLS-034: writelines makes as few records as possible.
        if len(self._write_backlog) > 1:
            whole = b''.join(self._write_backlog)
            self._write_backlog.clear()
            self._write_backlog.append(whole)
        super()._do_write()

    def _do_read(self):
        # TLS-028: a pause in connection_made does not hold back our end of the handshake.
        if self._completes:
            self._completes = False
            if self._app_reading_paused and self._state == State.WRAPPED:
                self._do_write()
        # TLS-060: what is read after the end of the stream is followed by the end of the connection.
        if self._state == State.FLUSHING and not self._flushing and not self._app_reading_paused:
            self._do_flush()
        else:
            super()._do_read()

    def _do_read__copied(self):
        # TLS-083: what came before a bad record is delivered.
        self._sslobj, engine = Keeping(self._sslobj), self._sslobj
        try:
            super()._do_read__copied()
            failure = self._sslobj.failure
        finally:
            self._sslobj = engine
        if failure is not None:
            raise failure

    def _do_read__buffered(self):
        # TLS-027: an empty buffer is not the end of the stream.
        get_buffer = self._app_protocol_get_buffer

        def checked(hint):
            buffer = get_buffer(hint)
            if len(buffer) == 0:
                raise RuntimeError('get_buffer() returned an empty buffer')
            return buffer
        self._app_protocol_get_buffer = checked
        self._sslobj, engine = Keeping(self._sslobj), self._sslobj
        try:
            super()._do_read__buffered()
            failure = self._sslobj.failure
        finally:
            self._sslobj = engine
            if self._app_protocol_get_buffer is checked:
                self._app_protocol_get_buffer = get_buffer
        if failure is not None:
            raise failure

    def eof_received(self):
        # TLS-060: a buffered protocol takes all that the peer sent before it hears of the end.
        return super().eof_received() or self._state == State.FLUSHING

    def _do_flush(self):
        # TLS-058: resumed and paused again at once, it is still paused.
        if self._eof_received and self._app_reading_paused:
            return
        self._flushing = True
        try:
            self._do_read()
        finally:
            self._flushing = False
        if self._state != State.FLUSHING:
            return
        # TLS-084: while reading is paused the backlog still goes before the goodbye.
        self._do_write()
        if self._eof_received and not self._app_reading_paused and (self._incoming.pending or self._sslobj.pending()):
            return
        self._set_state(State.SHUTDOWN)
        self._do_shutdown()

    def _give_up_reading(self):
        if self._state == State.FLUSHING:
            self._set_state(State.SHUTDOWN)
            self._do_shutdown()

    def _do_shutdown(self):
        # TLS-054: what arrives after our goodbye is dropped.
        if not self._eof_received:
            try:
                while self._sslobj.read(self.max_size):
                    pass
            except (*sslproto.SSLAgainErrors, ssl.SSLZeroReturnError):
                pass
            except ssl.SSLError as error:
                self._on_shutdown_complete(error)
                return
        # TLS-045: a transport below that is paused would not hear the goodbye of the peer.
        if self._ssl_reading_paused:
            self._ssl_reading_paused = False
            self._transport.resume_reading()
        super()._do_shutdown()

    def _fatal_error(self, exc, message='Fatal error on transport'):
        # TLS-013, TLS-083: the alert, if there is one, tells the peer what is wrong. Node has none about certificates.
        if isinstance(exc, ssl.SSLError) and not isinstance(exc, ssl.SSLCertVerificationError) and (
                exc.reason != 'PEER_DID_NOT_RETURN_A_CERTIFICATE'):
            self._process_outgoing()
        super()._fatal_error(exc, message)


class Keeping:
    """An SSLObject that keeps a failure until what came before it is delivered."""

    failure = None

    def __init__(self, engine):
        self._engine = engine

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def read(self, *args):
        try:
            return self._engine.read(*args)
        except sslproto.SSLAgainErrors:
            raise
        except ssl.SSLZeroReturnError:
            # TLS-054: what OpenSSL says for the end when our goodbye is said already.
            return 0 if len(args) > 1 else b''
        except ssl.SSLError as error:
            self.failure = error
            raise ssl.SSLWantReadError() from None


def carry_over(transport, protocol):
    """TLS-079: upgraded while writing is paused, a connection goes on from there."""
    if isinstance(protocol, RepairedSSLProtocol):
        protocol._ssl_writing_paused = protocol._app_writing_paused = transport._protocol_paused


# What makes TLS transports finds their parts by these names.
sslproto.SSLProtocol = RepairedSSLProtocol
selector_events._SelectorSocketTransport = RepairedTransport


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, world, selector='epoll', order='registered', quiet=False):
        self._world = world
        super().__init__(VirtualSelector(world, SELECTORS[selector](), order, quiet))

    def time(self):
        return self._world.clock.now

    def set_debug(self, enabled):
        # LOOP-068: the switch of coroutine tracking that asyncio queues has no counterpart in JavaScript.
        self._debug = enabled

    def create_task(self, coro, **options):
        # Kept to the end: what a closed loop drops would be unwound by reference counts, and JavaScript has none.
        made = super().create_task(coro, **options)
        self._world.kept.append(made)
        return made

    def _run_once(self):
        self._world.begin_iteration()
        super()._run_once()

    async def start_tls(self, transport, *args, **options):
        # TLS-075: with a transport that is closing nobody can shake hands.
        if getattr(transport, '_start_tls_compatible', False) and transport.is_closing():
            raise RuntimeError('the transport is closing')
        return await super().start_tls(transport, *args, **options)

    async def _accept_connection2(self, protocol_factory, conn, *args, **options):
        def factory():
            # ACC-021: here a connection without a protocol is closed when its last reference goes.
            try:
                return protocol_factory()
            except BaseException:
                conn.close()
                raise

        await super()._accept_connection2(factory, conn, *args, **options)

    def _make_write_pipe_transport(self, pipe, protocol, waiter=None, extra=None):
        return RepairedWritePipe(self, pipe, protocol, waiter, extra)

    def _make_socket_transport(self, sock, protocol, waiter=None, *, extra=None, server=None):
        self._ensure_fd_no_transport(sock)
        try:
            return RepairedTransport(self, sock, protocol, waiter, extra, server)
        except BaseException:
            # ACC-021, ACC-023: here the half-made transport keeps the socket open until it is collected.
            if server is not None:
                sock.close()
            raise
