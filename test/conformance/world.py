"""world.py: what one program lives in: its named things and its trace. The counterpart of world.ts, line by line."""

import asyncio
import errno
import json
import os
import re
import ssl
import zlib

START = 1000.0
MAX_ITERATIONS = 250
MAX_ENTRIES = 1500
MAX_DEPTH = 8

FOLDER = os.path.dirname(os.path.abspath(__file__))

with open(os.path.join(FOLDER, 'gists.json')) as file:
    GISTS = [(re.compile(gist['python']), gist['kind']) for gist in json.load(file)]

ERRORS = {
    cls.__name__: cls
    for cls in (
        ValueError, RuntimeError, TypeError, OSError, ConnectionResetError, BrokenPipeError, TimeoutError,
        BlockingIOError, asyncio.CancelledError, asyncio.InvalidStateError, SystemExit, KeyboardInterrupt,
    )
}
FATAL = (SystemExit, KeyboardInterrupt)


class Unbound(Exception):
    """An action names a thing that is not there, or not of the right kind: it is skipped."""


class Stuck(RuntimeError):
    """Nothing is ready and nothing is scheduled."""


class Limit(Exception):
    """The program ran for too long: its trace ends here."""


class Frame:
    """One run of a body of actions."""

    def __init__(self, who, kind, protocol=None, depth=0):
        self.who = who
        self.kind = kind
        self.protocol = protocol
        self.depth = depth
        self.caught = None


def make_error(name, message=None):
    return ERRORS[name](*([] if message is None else [message]))


def gist_of(message):
    for pattern, kind in GISTS:
        if pattern.search(message):
            return kind
    return 'unknown: ' + message


def adler(data):
    return zlib.adler32(data)


class World:
    def __init__(self, program):
        self.program = program
        self.bodies = program.get('bodies', {})
        self.templates = program.get('protocols', {})
        self.trace = []
        self.iteration = 0
        self.dead = False
        self.depth = 0
        self.loop = None
        self.clock = None
        self.things = {}
        self.names = {}
        self.kept = []
        self.callbacks = {}
        self.counters = {}
        self.contexts = {}
        self.paths = []
        self.files = []
        self.children = {}

    # The trace.

    def record(self, who, what, *details):
        if self.dead:
            return
        self.trace.append([self.iteration, self.clock.now, who, what, *details])
        if len(self.trace) >= MAX_ENTRIES:
            self.end_by_limit()

    def end_by_limit(self):
        if not self.dead:
            self.trace.append(['limit'])
        self.dead = True

    def begin_iteration(self):
        self.iteration += 1
        if self.iteration > MAX_ITERATIONS:
            self.end_by_limit()
        if self.dead:
            raise Limit()

    def encode(self, value):
        # A coded context is a dict already.
        if value is None or isinstance(value, (bool, int, float, str, dict)):
            return value
        if isinstance(value, (bytes, bytearray)):
            return {'bytes': len(value), 'adler': adler(value)}
        if isinstance(value, BaseException):
            return self.encode_error(value)
        if isinstance(value, (list, tuple)):
            return [self.encode(item) for item in value]
        name = self.names.get(id(value))
        return {'is': 'object'} if name is None else {'is': name}

    def encode_error(self, error):
        if isinstance(error, Stuck):
            return {'error': 'stuck'}
        # What calling a missing method raises is an AttributeError here and a TypeError in JavaScript.
        name = type(error).__name__
        coded = {'error': 'TypeError' if name == 'AttributeError' else name}
        if isinstance(error, BaseExceptionGroup):
            coded['errors'] = [self.encode(inner) for inner in error.exceptions]
        message = str(error)
        if message.startswith('#'):
            coded['message'] = message
        elif isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.errno in errno.errorcode:
            coded['code'] = errno.errorcode[error.errno]
        return coded

    def encode_context(self, context):
        keys = {'source_traceback': 'sourceTraceback', 'handle_traceback': 'handleTraceback'}
        return {
            'kind': gist_of(context.get('message') or 'Unhandled exception in event loop'),
            'keys': sorted(keys.get(key, key) for key in context),
            'exception': self.encode(context.get('exception')),
        }

    # Named things.

    def bind(self, name, kind, value):
        self.things[name] = (kind, value)
        self.names[id(value)] = name
        self.kept.append(value)
        return value

    def get(self, frame, name, *kinds):
        if name == '@':
            transport = frame.protocol and frame.protocol.transport
            if transport is None or 'transport' not in kinds:
                raise Unbound()
            return transport
        kind, value = self.things.get(name, (None, None))
        if kind not in kinds:
            raise Unbound()
        return value

    def fd(self, frame, ref):
        """A socket as an object, or as its number: "a" or "a#"."""
        if not ref.endswith('#'):
            return self.get(frame, ref, 'sock')
        return self.get(frame, ref, 'number')

    def body(self, name):
        if name not in self.bodies:
            raise Unbound()
        return self.bodies[name]

    def count(self, key):
        self.counters[key] = self.counters.get(key, 0) + 1
        return self.counters[key]

    def pattern(self, key, size):
        """The next `size` bytes of a stream whose bytes tell their position."""
        offset = self.counters.get(key, 0)
        self.counters[key] = offset + size
        start = offset % 251
        return (bytes(range(251)) * ((start + size) // 251 + 1))[start:start + size]
