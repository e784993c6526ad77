"""asyncio's loop by itself, or uvloop's: what fdloop-loop.js measures, under the same names.

python3 asyncio_loop.py asyncio|uvloop callSoon | iteration | timers COUNT | futures | tasks | readers | ready WATCHED READY
"""

import asyncio
import json
import random
import socket
import sys
import time

engine, name, *args = sys.argv[1:]

if engine == "uvloop":
    import uvloop

    loop = uvloop.new_event_loop()
else:
    loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)


def nothing():
    pass


def measured(count, action):
    before = time.process_time_ns()
    action()
    return (time.process_time_ns() - before) / count


def call_soon(scale):
    batch = 1000
    total = left = round(1000 * scale)

    def turn():
        nonlocal left
        for _ in range(batch):
            loop.call_soon(nothing)
        left -= 1
        if left > 0:
            loop.call_soon(turn)
        else:
            loop.stop()

    loop.call_soon(turn)
    return {"callSoon, batches of 1,000": measured(total * batch, loop.run_forever)}


def iteration(scale):
    total = left = round(100_000 * scale)

    def step():
        nonlocal left
        left -= 1
        if left > 0:
            loop.call_soon(step)
        else:
            loop.stop()

    loop.call_soon(step)
    return {"one handle in each iteration": measured(total, loop.run_forever)}


def timers(scale, count):
    total = round(int(count) * scale)
    title = f"{int(count):,} timers"
    handles = []
    figures = {}

    def schedule():
        for _ in range(total):
            handles.append(loop.call_later(1000 + random.random() * 1000, nothing))

    def cancel():
        for handle in handles:
            handle.cancel()
        loop.call_soon(loop.stop)
        loop.run_forever()

    figures[f"{title}: schedule"] = measured(total, schedule)
    figures[f"{title}: cancel"] = measured(total, cancel)
    handles.clear()
    start = loop.time()
    for _ in range(total):
        loop.call_at(start + random.random() * 0.01, nothing)
    loop.call_at(start + 0.011, loop.stop)
    while time.monotonic() < start + 0.02:
        pass
    figures[f"{title}: fire"] = measured(total, loop.run_forever)
    return figures


def futures(scale):
    total = round(100_000 * scale)

    async def main():
        for _ in range(total):
            future = loop.create_future()
            loop.call_soon(future.set_result, None)
            await future

    figure = measured(total, lambda: loop.run_until_complete(main()))
    return {"await a future, async function": figure, "await a future, generator": figure}


def tasks(scale):
    total = round(50_000 * scale)

    async def work():
        pass

    async def create():
        for _ in range(total):
            await loop.create_task(work())

    async def sleep():
        for _ in range(total):
            await asyncio.sleep(0)

    figure = measured(total, lambda: loop.run_until_complete(create()))
    return {
        "create and await a task, async function": figure,
        "create and await a task, generator": figure,
        "sleep(0), async function": measured(total, lambda: loop.run_until_complete(sleep())),
    }


def readers(scale):
    total = round(50_000 * scale)
    one, other = socket.socketpair()
    fd = one.fileno()

    def churn():
        for _ in range(total):
            loop.add_reader(fd, nothing)
            loop.remove_reader(fd)

    figure = measured(total, churn)
    one.close()
    other.close()
    return {"addReader and removeReader": figure}


def ready(scale, watched, count):
    watched, count = int(watched), int(count)
    sockets = []
    while len(sockets) < watched:
        sockets.extend(socket.socketpair())
    total = left = round(150_000 * scale)

    def callback():
        nonlocal left
        left -= 1
        if left == 0:
            loop.stop()

    for sock in sockets[:watched]:
        loop.add_reader(sock.fileno(), callback)
    for index in range(count):
        sockets[2 * index + 1].send(b"x")
    figure = measured(total, loop.run_forever)
    for sock in sockets[:watched]:
        loop.remove_reader(sock.fileno())
    for sock in sockets:
        sock.close()
    return {f"an event, {count} of {watched:,} descriptors ready": figure}


cases = {
    "callSoon": call_soon,
    "iteration": iteration,
    "timers": timers,
    "futures": futures,
    "tasks": tasks,
    "readers": readers,
    "ready": ready,
}
cases[name](0.1, *args)
print(json.dumps(cases[name](1, *args)))
