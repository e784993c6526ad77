"""sync_verbs.py: what actions do with locks, events, conditions, semaphores, barriers and queues. The counterpart of
sync-verbs.ts, in the same order.
"""

import asyncio

from verbs import nothing, same, verb, wait

QUEUES = {'fifo': asyncio.Queue, 'lifo': asyncio.LifoQueue, 'priority': asyncio.PriorityQueue}


@verb
def lock(w, f, name):
    w.bind(name, 'lock', asyncio.Lock())


@verb
def event(w, f, name):
    w.bind(name, 'event', asyncio.Event())


@verb
def condition(w, f, name, lock=None):
    shared = None if lock is None else w.get(f, lock, 'lock')
    w.bind(name, 'condition', asyncio.Condition(shared))


@verb
def semaphore(w, f, name, value, bounded=False):
    w.bind(name, 'semaphore', (asyncio.BoundedSemaphore if bounded else asyncio.Semaphore)(value))


@verb
def barrier(w, f, name, parties):
    w.bind(name, 'barrier', asyncio.Barrier(parties))


@verb
def queue(w, f, name, kind, size):
    w.bind(name, 'queue', QUEUES[kind](size))


@verb
def release(w, f, name):
    w.get(f, name, 'lock', 'condition', 'semaphore').release()


@verb
def locked(w, f, name):
    return w.get(f, name, 'lock', 'condition', 'semaphore').locked()


@verb
def set_event(w, f, name):
    w.get(f, name, 'event').set()


@verb
def clear_event(w, f, name):
    w.get(f, name, 'event').clear()


@verb
def is_set(w, f, name):
    return w.get(f, name, 'event').is_set()


@verb
def notify(w, f, name, count):
    w.get(f, name, 'condition').notify(count)


@verb
def notify_all(w, f, name):
    w.get(f, name, 'condition').notify_all()


@verb
def barrier_state(w, f, name):
    found = w.get(f, name, 'barrier')
    return [found.n_waiting, found.broken, found.parties]


@verb
def put_nowait(w, f, name, item):
    w.get(f, name, 'queue').put_nowait(item)


@verb
def get_nowait(w, f, name):
    return w.get(f, name, 'queue').get_nowait()


@verb
def task_done(w, f, name):
    w.get(f, name, 'queue').task_done()


@verb
def queue_state(w, f, name):
    found = w.get(f, name, 'queue')
    return [found.qsize(), found.empty(), found.full()]


@wait
def acquire(w, f, name):
    return w.get(f, name, 'lock', 'condition', 'semaphore').acquire(), same


@wait
def wait_event(w, f, name):
    return w.get(f, name, 'event').wait(), same


@wait
def wait_condition(w, f, name):
    return w.get(f, name, 'condition').wait(), same


@wait
def wait_condition_for(w, f, name, event):
    flag = w.get(f, event, 'event')
    return w.get(f, name, 'condition').wait_for(flag.is_set), same


@wait
def wait_barrier(w, f, name):
    return w.get(f, name, 'barrier').wait(), same


@wait
def reset_barrier(w, f, name):
    return w.get(f, name, 'barrier').reset(), nothing


@wait
def abort_barrier(w, f, name):
    return w.get(f, name, 'barrier').abort(), nothing


@wait
def put(w, f, name, item):
    return w.get(f, name, 'queue').put(item), nothing


@wait
def get(w, f, name):
    return w.get(f, name, 'queue').get(), same


@wait
def join(w, f, name):
    return w.get(f, name, 'queue').join(), nothing
