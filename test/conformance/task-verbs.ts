// task-verbs.ts: what actions do with several awaitables at once, with limits of time and with groups of tasks. The
// counterpart of task_verbs.py, in the same order.

import { asCompleted } from '../../lib/futures/as-completed';
import { Coroutine } from '../../lib/futures/coroutine';
import type { CoroutineGenerator } from '../../lib/futures/frame';
import type { Future } from '../../lib/futures/future';
import { gather } from '../../lib/futures/gather';
import { shield } from '../../lib/futures/shield';
import { staggeredRace } from '../../lib/futures/staggered-race';
import { taskGroup } from '../../lib/futures/task-group';
import { timeout, type Timeout } from '../../lib/futures/timeout';
import { type ReturnWhen, wait } from '../../lib/futures/wait';
import { waitFor } from '../../lib/futures/wait-for';
import { catches, taskBody } from './interpreter';
import type { WaitVerb } from './verbs';
import { type Frame, Unbound, type World } from './world';

const awaited = (w: World, f: Frame, names: string[]): Future[] =>
  names.map((name) => w.get<Future>(f, name, 'future', 'task'));

/** The bodies, as functions. */
function nested(w: World, f: Frame, bodies: string[], who = f.who) {
  for (const body of bodies) w.body(body);
  if (f.depth >= 4) throw new Unbound();
  return bodies.map((body) => taskBody(w, body, who, f.depth + 1) as () => CoroutineGenerator<unknown>);
}

export const taskWaits: Record<string, WaitVerb> = {
  gather: (w, f, name: string, names: string[], returnExceptions: boolean) => ({
    awaitable: w.bind(name, 'future', gather(awaited(w, f, names), { returnExceptions })),
  }),
  gatherBodies: (w, f, name: string, bodies: string[], returnExceptions: boolean) => ({
    awaitable: w.bind(name, 'future', gather(nested(w, f, bodies, name), { returnExceptions })),
  }),
  shield: (w, f, name: string, inner: string) => ({
    awaitable: w.bind(name, 'future', shield(w.get<Future>(f, inner, 'future', 'task'))),
  }),
  waitSome(w, f, names: string[], limit: number | null, returnWhen: ReturnWhen) {
    const futures = awaited(w, f, names);
    return {
      awaitable: wait(futures, { timeout: limit, returnWhen }),
      finish: ({ done, pending }: { done: Set<Future>; pending: Set<Future> }) =>
        futures.map((future) => [done.has(future), pending.has(future)]),
    };
  },
  waitFor: (w, f, name: string, limit: number | null) => ({
    awaitable: waitFor(w.get<Future>(f, name, 'future', 'task'), limit),
  }),
  waitForBody: (w, f, body: string, limit: number | null) => ({ awaitable: waitFor(nested(w, f, [body])[0], limit) }),
  asTheyCome(w, f, names: string[], limit: number | null) {
    const futures = awaited(w, f, names);
    function* run(): CoroutineGenerator<unknown[]> {
      const seen: unknown[] = [];
      for (const item of asCompleted(futures, { timeout: limit })) {
        try {
          seen.push(yield* item);
        } catch (error) {
          if (!catches('Exception', error)) throw error;
          seen.push(error);
        }
      }
      return seen;
    }
    return { awaitable: new Coroutine(run(), w.loop) };
  },
  limit(w, f, name: string, delay: number | null) {
    const [body] = nested(w, f, [name]);
    function* run(): CoroutineGenerator<unknown> {
      let entered: Timeout | null = null;
      try {
        return yield* timeout(delay, (own) => {
          entered = own;
          return body();
        });
      } finally {
        w.record(f.who, 'expired', (entered as Timeout | null)?.expired() ?? false);
      }
    }
    return { awaitable: new Coroutine(run(), w.loop) };
  },
  group(w, f, names: string[], bodies: string[], last: string) {
    const [body] = nested(w, f, [last]);
    const others = names.map((name, index) => nested(w, f, [bodies[index]], name)[0]);
    return {
      awaitable: taskGroup((tasks) => {
        for (const [index, other] of others.entries()) w.bind(names[index], 'task', tasks.createTask(other));
        return body();
      }),
    };
  },
  race: (w, f, bodies: string[], delay: number | null) => ({ awaitable: staggeredRace(nested(w, f, bodies), delay) }),
};
