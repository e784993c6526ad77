// sync-verbs.ts: what actions do with locks, events, conditions, semaphores, barriers and queues. The counterpart of
// sync_verbs.py, in the same order.

import type { Coroutine } from '../../lib/futures/coroutine';
import { Barrier } from '../../lib/sync/barrier';
import { Condition } from '../../lib/sync/condition';
import { Event } from '../../lib/sync/event';
import { Lock } from '../../lib/sync/lock';
import { PriorityQueue } from '../../lib/sync/priority-queue';
import { LifoQueue, Queue } from '../../lib/sync/queue';
import { BoundedSemaphore, Semaphore } from '../../lib/sync/semaphore';
import type { Verb, WaitVerb } from './verbs';
import type { Frame, World } from './world';

const queues = { fifo: Queue, lifo: LifoQueue, priority: PriorityQueue };

const event = (w: World, f: Frame, name: string): Event => w.get<Event>(f, name, 'event');
const condition = (w: World, f: Frame, name: string): Condition => w.get<Condition>(f, name, 'condition');
const barrier = (w: World, f: Frame, name: string): Barrier => w.get<Barrier>(f, name, 'barrier');
const queue = (w: World, f: Frame, name: string): Queue<number> => w.get<Queue<number>>(f, name, 'queue');
const holdable = (w: World, f: Frame, name: string): Lock | Condition | Semaphore =>
  w.get<Lock | Condition | Semaphore>(f, name, 'lock', 'condition', 'semaphore');

const nothing = (): null => null;

export const syncVerbs: Record<string, Verb> = {
  lock(w, f, name: string) {
    w.bind(name, 'lock', new Lock());
  },
  event(w, f, name: string) {
    w.bind(name, 'event', new Event());
  },
  condition(w, f, name: string, lock?: string) {
    const shared = lock === undefined ? undefined : w.get<Lock>(f, lock, 'lock');
    w.bind(name, 'condition', new Condition(shared));
  },
  semaphore(w, f, name: string, value: number, bounded = false) {
    w.bind(name, 'semaphore', new (bounded ? BoundedSemaphore : Semaphore)(value));
  },
  barrier(w, f, name: string, parties: number) {
    w.bind(name, 'barrier', new Barrier(parties));
  },
  queue(w, f, name: string, kind: keyof typeof queues, size: number) {
    w.bind(name, 'queue', new queues[kind]<number>(size));
  },
  release: (w, f, name: string) => holdable(w, f, name).release(),
  locked: (w, f, name: string) => holdable(w, f, name).locked(),
  setEvent: (w, f, name: string) => event(w, f, name).set(),
  clearEvent: (w, f, name: string) => event(w, f, name).clear(),
  isSet: (w, f, name: string) => event(w, f, name).isSet(),
  notify: (w, f, name: string, count: number) => condition(w, f, name).notify(count),
  notifyAll: (w, f, name: string) => condition(w, f, name).notifyAll(),
  barrierState(w, f, name: string) {
    const found = barrier(w, f, name);
    return [found.nWaiting, found.broken, found.parties];
  },
  putNowait: (w, f, name: string, item: number) => queue(w, f, name).putNowait(item),
  getNowait: (w, f, name: string) => queue(w, f, name).getNowait(),
  taskDone: (w, f, name: string) => queue(w, f, name).taskDone(),
  queueState(w, f, name: string) {
    const found = queue(w, f, name);
    return [found.qsize(), found.empty(), found.full()];
  },
};

export const syncWaits: Record<string, WaitVerb> = {
  acquire: (w, f, name: string) => ({ awaitable: holdable(w, f, name).acquire() as Coroutine<unknown> }),
  waitEvent: (w, f, name: string) => ({ awaitable: event(w, f, name).wait() }),
  waitCondition: (w, f, name: string) => ({ awaitable: condition(w, f, name).wait() }),
  waitConditionFor(w, f, name: string, flagName: string) {
    const flag = event(w, f, flagName);
    return { awaitable: condition(w, f, name).waitFor(() => flag.isSet()) };
  },
  waitBarrier: (w, f, name: string) => ({ awaitable: barrier(w, f, name).wait() }),
  resetBarrier: (w, f, name: string) => ({ awaitable: barrier(w, f, name).reset(), finish: nothing }),
  abortBarrier: (w, f, name: string) => ({ awaitable: barrier(w, f, name).abort(), finish: nothing }),
  put: (w, f, name: string, item: number) => ({ awaitable: queue(w, f, name).put(item), finish: nothing }),
  get: (w, f, name: string) => ({ awaitable: queue(w, f, name).get() }),
  join: (w, f, name: string) => ({ awaitable: queue(w, f, name).join(), finish: nothing }),
};
