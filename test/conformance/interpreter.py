"""interpreter.py: runs programs on CPython's asyncio. Reads one JSON line per program and writes one per trace:
{"program": {...}, "selector": "epoll", "order": "registered"} -> [[iteration, time, who, what, ...], ...]
The counterpart of interpreter.ts; README.md tells the form of a program.
"""

import asyncio
import gc
import json
import logging
import os
import sys
import warnings

from world import FATAL, MAX_DEPTH, Frame, Limit, Unbound, World, gist_of, make_error


class Return:
    def __init__(self, value):
        self.value = value


# Bodies of actions. perform() is a generator that yields what has to be awaited, or run; each kind of frame drives it.


def perform(world, actions, frame):
    for action in actions:
        if world.dead:
            return None
        name, args = action[0], action[1:]
        if name in FLOW:
            ended = yield from FLOW[name](world, frame, *args)
            if ended is not None:
                return ended
        elif name in RUNS:
            yield from act_run(world, frame, name, args)
        elif name in verbs.WAITS:
            yield from act_wait(world, frame, name, args)
        else:
            act_verb(world, frame, name, args)
    return None


def shown(args):
    return args[0] if args and isinstance(args[0], str) else ''


def act_verb(world, frame, name, args):
    try:
        result = verbs.VERBS[name](world, frame, *args)
    except Unbound:
        world.record(frame.who, name, shown(args), 'unbound')
    except BaseException as error:
        world.record(frame.who, name, shown(args), world.encode(error))
        if isinstance(error, FATAL):
            raise
    else:
        world.record(frame.who, name, shown(args), world.encode(result))


def act_wait(world, frame, name, args):
    if frame.kind != 'coroutine':
        world.record(frame.who, name, shown(args), 'not in a coroutine')
        return
    try:
        awaitable, finish = verbs.WAITS[name](world, frame, *args)
    except Unbound:
        world.record(frame.who, name, shown(args), 'unbound')
        return
    except Exception as error:
        world.record(frame.who, name, shown(args), world.encode(error))
        return
    try:
        value = yield awaitable
    except GeneratorExit:
        raise
    except BaseException as error:
        world.record(frame.who, name, shown(args), world.encode(error))
        raise
    world.record(frame.who, name, shown(args), world.encode(finish(value)))


def act_run(world, frame, name, args):
    if frame.kind != 'main' and not world.loop.is_running():
        # A hosted run could not be waited for here.
        world.record(frame.who, name, shown(args), 'not in a run')
        return
    error = None
    try:
        run = RUNS[name](world, frame, *args)
        value = (yield run) if frame.kind == 'main' else run()
    except Limit:
        return
    except Unbound:
        value = 'unbound'
    except GeneratorExit:
        raise
    except BaseException as raised:
        value = error = raised
    world.record(frame.who, name, shown(args), world.encode(value))
    if frame.kind != 'main' and isinstance(error, FATAL):
        raise error


def do_return(world, frame, value=None):
    return Return(value)
    yield


def do_raise(world, frame, name, message=None):
    raise make_error(name, message)
    yield


def do_reraise(world, frame):
    if frame.caught is not None:
        raise frame.caught
    return None
    yield


def do_repeat(world, frame, times, actions):
    for _ in range(times):
        ended = yield from perform(world, actions, frame)
        if ended is not None or world.dead:
            return ended
    return None


def catches(kind, error):
    if kind == 'any':
        return True
    return isinstance(error, asyncio.CancelledError if kind == 'CancelledError' else Exception)


def do_try(world, frame, actions, kind, handler, last=()):
    ended = pending = None
    try:
        ended = yield from perform(world, actions, frame)
    except GeneratorExit:
        raise
    except BaseException as error:
        pending = error
    if pending is not None and catches(kind, pending):
        world.record(frame.who, 'caught', world.encode(pending))
        frame.caught, pending = pending, None
        try:
            ended = yield from perform(world, handler, frame)
        except GeneratorExit:
            raise
        except BaseException as error:
            pending = error
    ended_last = yield from perform(world, last, frame)
    if ended_last is not None:
        return ended_last
    if pending is not None:
        raise pending
    return ended


FLOW = {'return': do_return, 'raise': do_raise, 'reraise': do_reraise, 'repeat': do_repeat, 'try': do_try}


def run_forever(world, frame):
    return world.loop.run_forever


def run_until_complete(world, frame, name):
    future = world.get(frame, name, 'future', 'task')
    return lambda: world.loop.run_until_complete(future)


def run_coroutine(world, frame, name):
    world.body(name)
    return lambda: world.loop.run_until_complete(coroutine(world, name, name))


RUNS = {'runForever': run_forever, 'runUntilComplete': run_until_complete, 'runCoroutine': run_coroutine}


# Frames: callbacks and protocol methods run to their end, coroutines await, the main body runs the loop.


def run_method(world, actions, frame, args):
    """One run of a callback or of a protocol's method. Returns the value of its return action."""
    world.record(frame.who, 'run', *args)
    if world.depth >= MAX_DEPTH:
        world.record(frame.who, 'too deep')
        return None
    world.depth += 1
    try:
        steps = perform(world, actions, frame)
        next(steps)
    except StopIteration as stop:
        return None if stop.value is None else stop.value.value
    finally:
        world.depth -= 1
    raise AssertionError('a method cannot wait')


def call_body(world, name):
    """The callable of a body, the same one each time."""
    if name not in world.callbacks:
        actions = world.body(name)

        def callback(*args):
            run_method(world, actions, Frame(name, 'callback'), [world.encode(arg) for arg in args])

        world.callbacks[name] = callback
        world.names[id(callback)] = name
    return world.callbacks[name]


async def coroutine(world, name, who, depth=0):
    frame = Frame(who, 'coroutine', depth=depth)
    world.record(who, 'start', name)
    steps = perform(world, world.bodies[name], frame)
    value = error = None
    while True:
        try:
            awaitable = steps.send(value) if error is None else steps.throw(error)
        except StopIteration as stop:
            return None if stop.value is None else stop.value.value
        value = error = None
        try:
            value = await awaitable
        except GeneratorExit:
            raise
        except BaseException as raised:
            error = raised


def run_main(world):
    frame = Frame('main', 'main')
    steps = perform(world, world.program['main'], frame)
    value = error = None
    while True:
        try:
            run = steps.send(value) if error is None else steps.throw(error)
        except StopIteration:
            return
        except BaseException as raised:
            world.record('main', 'ended', world.encode(raised))
            return
        value = error = None
        try:
            value = run()
        except BaseException as raised:
            error = raised


# Protocols.


DATA_METHODS = ('dataReceived', 'getBuffer', 'bufferUpdated')


class Methods:
    def _setup(self, world, template, name):
        self.world = world
        self.template = template
        self.name = name
        self.transport = None
        self.is_upgraded = False
        self.buffer = bytearray()

    def _hear(self, method, *args):
        world = self.world
        if self.template.get('deaf') and not self.is_upgraded and method in DATA_METHODS:
            return None
        actions = self.template.get('on', {}).get(method, ())
        frame = Frame(f'{self.name}.{method}', 'callback', self)
        return run_method(world, actions, frame, [world.encode(arg) for arg in args])

    def connection_made(self, transport):
        self.transport = transport
        if id(transport) not in self.world.names:
            self.world.bind(self.name + '@', 'transport', transport)
        self._hear('connectionMade', transport)

    def connection_lost(self, exc):
        self._hear('connectionLost', exc)

    def pause_writing(self):
        self._hear('pauseWriting')

    def resume_writing(self):
        self._hear('resumeWriting')

    def eof_received(self):
        return self._hear('eofReceived')


class PlainProtocol(Methods, asyncio.Protocol):
    def data_received(self, data):
        self._hear('dataReceived', data)


class BufferedProtocol(Methods, asyncio.BufferedProtocol):
    def get_buffer(self, sizehint):
        # How many encrypted bytes wait depends on the sizes of tickets.
        size = self._hear('getBuffer', -1 if sizehint == -1 else 'encrypted')
        self.buffer = bytearray(self.template.get('buffer', 4096) if size is None else size)
        # A view: TLS fills slices of it, and a slice of a bytearray would be a copy.
        return memoryview(self.buffer)

    def buffer_updated(self, nbytes):
        self._hear('bufferUpdated', nbytes, bytes(self.buffer[:nbytes]))


class ProcessProtocol(Methods, asyncio.SubprocessProtocol):
    def pipe_data_received(self, fd, data):
        self._hear('pipeDataReceived', fd, data)

    def pipe_connection_lost(self, fd, exc):
        self._hear('pipeConnectionLost', fd, exc)

    def process_exited(self):
        self._hear('processExited')


KINDS = {'buffered': BufferedProtocol, 'process': ProcessProtocol}


def make_protocol(world, name):
    if name not in world.templates:
        raise Unbound()
    template = world.templates[name]
    protocol = KINDS.get(template.get('kind'), PlainProtocol)()
    protocol._setup(world, template, f'{name}.{world.count("protocol " + name)}')
    world.kept.append(protocol)
    world.names[id(protocol)] = protocol.name
    if 'factory' in template:
        run_method(world, template['factory'], Frame(f'{protocol.name}.factory', 'callback', protocol), [])
    return protocol


# A program from beginning to end.


class LogReceiver(logging.Handler):
    world = None

    def emit(self, record):
        if self.world is None or self.world.loop is None:
            return
        kind = gist_of(record.getMessage())
        if kind != 'ignored':
            self.world.record('log', record.levelname.lower(), kind)


log = LogReceiver(logging.WARNING)


def run_program(program, selector, order):
    world = World(program)
    world.clock = virtual_loop.Clock()
    world.loop = virtual_loop.VirtualLoop(world, selector, order, program.get('quiet', False))

    def handler(loop, context):
        coded = world.encode_context(context)
        if coded['kind'] != 'ignored':
            world.record('handler', 'called', coded)

    world.loop.set_exception_handler(handler)
    log.world = world
    try:
        run_main(world)
        if not world.dead:
            world.trace.append(['end', world.loop.is_closed()])
    finally:
        world.dead = True
        tear_down(world)
        log.world = None
    return world.trace


def tear_down(world):
    for transport in list(world.loop._transports.values()):
        if transport._sock is not None:
            transport._sock.close()
    child_verbs.end_children(world)
    pipe_verbs.close_pipes(world)
    if not world.loop.is_closed():
        world.loop.close()
    for kind, value in list(world.things.values()):
        if kind == 'sock':
            value.close()
        elif kind == 'server':
            for sock in value._sockets or ():
                sock.close()
    for thing in world.kept:
        if hasattr(thing, 'detach') and hasattr(thing, 'close'):
            thing.close()
    for file in world.files:
        file.close()
    for path in world.paths:
        if os.path.exists(path):
            os.unlink(path)
    world.things.clear()
    world.kept.clear()


def serve():
    logger = logging.getLogger('asyncio')
    logger.handlers = [log]
    logger.propagate = False
    logging.raiseExceptions = False
    warnings.simplefilter('ignore')
    sys.unraisablehook = lambda unraisable: None
    for number, line in enumerate(sys.stdin):
        request = json.loads(line)
        trace = run_program(request['program'], request.get('selector', 'epoll'), request.get('order', 'registered'))
        sys.stdout.write(json.dumps(trace) + '\n')
        sys.stdout.flush()
        if number % 100 == 99:
            gc.collect()


sys.modules['interpreter'] = sys.modules[__name__]
import verbs  # noqa: E402
import child_verbs  # noqa: E402
import pipe_verbs  # noqa: E402
import virtual_loop  # noqa: E402

if __name__ == '__main__':
    serve()
