"""child_verbs.py: what actions do with child processes. The counterpart of child-verbs.ts, in the same order.

A child is a shell that runs the lines which it is told, one at a time, and says when a line is done. Whatever ends it is waited for
in the same breath. So at each look of the loop the kernel has told all that there is to tell. And a child that nobody ends is one that
waits for a line: as long as the shell reads one, its standard input is another descriptor, and the kernel closes them by their numbers.
"""

import asyncio
import fcntl
import os
import signal
import subprocess

from interpreter import make_protocol
from verbs import nothing, same, signal_number, verb, wait

SCRIPT = 'exec 8<"/dev/fd/$1" 9>"/dev/fd/$2"; while read -r line <&8; do eval "$line"; echo >&9; done'
STREAMS = {'pipe': subprocess.PIPE, 'null': subprocess.DEVNULL, 'stdout': subprocess.STDOUT}
ENDINGS = (signal.SIGKILL, signal.SIGTERM)


class Channel:
    """How a child is told."""

    def __init__(self):
        orders, self.told = os.pipe()
        self.acks, done = os.pipe()
        self.orders, self.done = above_the_shells(orders), above_the_shells(done)

    def close_theirs(self):
        """At once, for what the child alone has comes to an end with it."""
        for fd in self.orders, self.done:
            if fd >= 0:
                os.close(fd)
        self.orders = self.done = -1

    def close(self):
        os.close(self.told)
        os.close(self.acks)


def above_the_shells(fd):
    """The script has 8 and 9 for itself."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(fd)
    return moved


def until_ended(pid):
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        pass


def until_listening(pid):
    """Linux only: elsewhere nobody sees the descriptors of others."""
    folder = f'/proc/{pid}/fd'
    while os.path.exists('/proc/self/fd') and not has_ended(pid):
        try:
            if os.readlink(f'{folder}/0') == os.readlink(f'{folder}/8'):
                return
        except FileNotFoundError:
            pass  # not yet, or not any more


def has_ended(pid):
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


class KeptPopen(subprocess.Popen):
    """UNIX-055, UNIX-057: whoever asks whether a child has ended does not take its end from those who wait for it."""

    on_start = None

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        if KeptPopen.on_start is not None:
            KeptPopen.on_start(self)

    def poll(self):
        try:
            info = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return 255
        return None if info is None else 0

    def send_signal(self, number):
        super().send_signal(number)
        if number in ENDINGS:
            until_ended(self.pid)


subprocess.Popen = KeptPopen


def start(w, options, creating):
    """Runs a coroutine that starts a child; makes its channel known as soon as it is there."""
    async def run():
        channel = Channel()

        def on_start(popen):
            w.children[popen.pid] = (channel, popen)
            channel.close_theirs()
            until_listening(popen.pid)
        KeptPopen.on_start = on_start
        streams = {name: STREAMS[value] for name, value in options.items()}
        arguments = '/bin/sh', '-c', SCRIPT, 'sh', str(channel.orders), str(channel.done)
        try:
            return await creating(*arguments, pass_fds=(channel.orders, channel.done), **streams)
        finally:
            channel.close_theirs()
    return run()


def child(w, f, name):
    return w.get(f, name, 'transport', 'process')


def pipe(w, f, name, fd):
    return w.get(f, name, 'transport').get_pipe_transport(fd)


@wait
def spawn(w, f, name, template, options):
    def creating(*arguments, **settings):
        return w.loop.subprocess_exec(lambda: make_protocol(w, template), *arguments, **settings)

    def finish(pair):
        w.bind(name, 'transport', pair[0])
        return [pair[0].is_closing(), pair[1]]
    return start(w, options, creating), finish


@wait
def spawn_missing(w, f, template):
    return w.loop.subprocess_exec(lambda: make_protocol(w, template), '/nowhere/at/all'), same


@verb
def tell(w, f, name, line):
    found = child(w, f, name)
    pid = found.get_pid() if hasattr(found, 'get_pid') else found.pid
    channel = w.children[pid][0]
    try:
        os.write(channel.told, f'{line}\n'.encode())
    except BrokenPipeError:
        return 'over'
    if os.read(channel.acks, 1) == b'':
        until_ended(pid)
        return 'ended'
    until_listening(pid)
    return 'done'


@verb
def child_state(w, f, name):
    found = w.get(f, name, 'transport')
    pipes = [found.get_pipe_transport(fd) for fd in range(3)]
    return [found.get_returncode(), found.is_closing(), [None if one is None else one.is_closing() for one in pipes]]


@verb
def send_signal(w, f, name, number):
    child(w, f, name).send_signal(signal_number(number))


@verb
def terminate(w, f, name):
    child(w, f, name).terminate()


@verb
def kill_child(w, f, name):
    child(w, f, name).kill()


@verb
def child_write(w, f, name, size):
    pipe(w, f, name, 0).write(w.pattern(f'child {name}', size))


@verb
def child_pipe_close(w, f, name, fd):
    pipe(w, f, name, fd).close()


@verb
def child_pipe_pause(w, f, name, fd):
    pipe(w, f, name, fd).pause_reading()


@verb
def child_pipe_resume(w, f, name, fd):
    pipe(w, f, name, fd).resume_reading()


@wait
def child_exit(w, f, name):
    found = child(w, f, name)
    return found._wait() if hasattr(found, '_wait') else found.wait(), same


@wait
def process(w, f, name, options):
    def finish(made):
        w.bind(name, 'process', made)
        return [made.stdin is not None, made.stdout is not None, made.stderr is not None]
    return start(w, options, asyncio.create_subprocess_exec), finish


@verb
def process_state(w, f, name):
    made = w.get(f, name, 'process')
    return [made.returncode, *(None if one is None else one.at_eof() for one in (made.stdout, made.stderr))]


@verb
def process_write(w, f, name, size):
    w.get(f, name, 'process').stdin.write(w.pattern(f'process {name}', size))


@verb
def process_close(w, f, name):
    w.get(f, name, 'process').stdin.close()


@wait
def process_drain(w, f, name):
    return w.get(f, name, 'process').stdin.drain(), nothing


@wait
def process_read(w, f, name, size):
    return w.get(f, name, 'process').stdout.read(size), same


@wait
def communicate(w, f, name, size=None):
    data = None if size is None else w.pattern(f'process {name}', size)
    return w.get(f, name, 'process').communicate(data), list


def end_children(w):
    """The program is over: nothing of its children is left."""
    KeptPopen.on_start = None
    for pid, (channel, popen) in w.children.items():
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ChildProcessError, ProcessLookupError):
            pass
        popen.returncode = 0
        channel.close()
        for stream in (popen.stdin, popen.stdout, popen.stderr):
            if stream is not None:
                stream.close()
    w.children.clear()
