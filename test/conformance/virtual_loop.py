"""virtual_loop.py: asyncio's loop in virtual time, and its repaired defects. The counterpart of virtual-loop.ts."""

import asyncio
import selectors
import time
from asyncio import selector_events

from world import START, Stuck

SELECTORS = {
    'epoll': selectors.EpollSelector,
    'poll': selectors.PollSelector,
    'select': selectors.SelectSelector,
}


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


class Over(Exception):
    """Nothing is left to do for a write callback."""


class RepairedTransport(selector_events._SelectorSocketTransport):
    """asyncio's stream transport without the defects that fdloop repairs, each by the name of its fact."""

    _ended_in_resume = False

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

    async def _accept_connection2(self, protocol_factory, conn, *args, **options):
        def factory():
            # ACC-021: here a connection without a protocol is closed when its last reference goes.
            try:
                return protocol_factory()
            except BaseException:
                conn.close()
                raise

        await super()._accept_connection2(factory, conn, *args, **options)

    def _make_socket_transport(self, sock, protocol, waiter=None, *, extra=None, server=None):
        self._ensure_fd_no_transport(sock)
        try:
            return RepairedTransport(self, sock, protocol, waiter, extra, server)
        except BaseException:
            # ACC-021, ACC-023: here the half-made transport keeps the socket open until it is collected.
            if server is not None:
                sock.close()
            raise
