"""task_verbs.py: what actions do with several awaitables at once, with limits of time and with groups of tasks. The
counterpart of task-verbs.ts, in the same order.
"""

import asyncio
import functools
from asyncio.staggered import staggered_race

from interpreter import catches, coroutine
from verbs import same, wait
from virtual_loop import RepairedTaskGroup, as_completed
from world import Unbound


def awaited(w, f, names):
    return [w.get(f, name, 'future', 'task') for name in names]


def nested(w, f, *names):
    for name in names:
        w.body(name)
    if f.depth >= 4:
        raise Unbound()


@wait
def gather(w, f, name, names, exceptions):
    future = asyncio.gather(*awaited(w, f, names), return_exceptions=exceptions)
    return w.bind(name, 'future', future), same


@wait
def gather_bodies(w, f, name, bodies, exceptions):
    nested(w, f, *bodies)
    future = asyncio.gather(*(coroutine(w, body, name, f.depth + 1) for body in bodies), return_exceptions=exceptions)
    return w.bind(name, 'future', future), same


@wait
def shield(w, f, name, inner):
    return w.bind(name, 'future', asyncio.shield(w.get(f, inner, 'future', 'task'))), same


@wait
def wait_some(w, f, names, timeout, when):
    futures = awaited(w, f, names)

    def finish(result):
        done, pending = result
        return [[future in done, future in pending] for future in futures]

    return asyncio.wait(futures, timeout=timeout, return_when=when), finish


@wait
def wait_for(w, f, name, timeout):
    return asyncio.wait_for(w.get(f, name, 'future', 'task'), timeout), same


@wait
def wait_for_body(w, f, body, timeout):
    nested(w, f, body)
    return asyncio.wait_for(coroutine(w, body, f.who, f.depth + 1), timeout), same


@wait
def as_they_come(w, f, names, timeout):
    futures = awaited(w, f, names)

    async def run():
        seen = []
        for item in as_completed(futures, timeout=timeout):
            try:
                seen.append(await item)
            except BaseException as error:
                if not catches('Exception', error):
                    raise
                seen.append(error)
        return seen

    return run(), same


@wait
def limit(w, f, body, delay):
    nested(w, f, body)

    async def run():
        timeout = asyncio.timeout(delay)
        try:
            async with timeout:
                return await coroutine(w, body, f.who, f.depth + 1)
        finally:
            w.record(f.who, 'expired', timeout.expired())

    return run(), same


@wait
def group(w, f, names, bodies, body):
    nested(w, f, body, *bodies)

    async def run():
        async with RepairedTaskGroup() as tasks:
            for name, each in zip(names, bodies):
                w.bind(name, 'task', tasks.create_task(coroutine(w, each, name, f.depth + 1)))
            return await coroutine(w, body, f.who, f.depth + 1)

    return run(), same


@wait
def race(w, f, bodies, delay):
    nested(w, f, *bodies)
    attempts = [functools.partial(coroutine, w, body, f.who, f.depth + 1) for body in bodies]
    return staggered_race(attempts, delay), list
