// shield.ts: an awaitable that goes on when whoever awaits it is cancelled. asyncio: tasks.shield.

import { ensureFuture, type Awaitable } from './ensure-future';
import { Future } from './future';

/**
 * A future that ends as `awaitable` does, and whose cancellation does not reach it. Keep the inner future if its outcome
 * matters after a cancellation: what it fails with then is reported as never retrieved. asyncio: shield.
 * @throws TypeError for what cannot be awaited
 */
export function shield<T>(awaitable: Awaitable<T>): Future<T> {
  const inner = ensureFuture(awaitable);
  if (inner.done()) return inner;
  const outer = new Future<T>(inner.getLoop());

  const onInnerDone = (): void => {
    if (outer.cancelled()) {
      if (!inner.cancelled()) inner.exception();
      return;
    }
    if (inner.cancelled()) outer.cancel();
    else if (inner._failed) outer._fail(inner.exception());
    else outer.setResult(inner.result());
  };
  inner.addDoneCallback(onInnerDone);
  outer.addDoneCallback(() => {
    if (!inner.done()) inner.removeDoneCallback(onInnerDone);
  });
  return outer;
}
