// default-executor.ts: the thread pool that a loop makes for itself. asyncio: BaseEventLoop._default_executor,
// _check_default_executor. Calls and their results are executor.ts's business.

import { RuntimeError } from '../base/errors';
import { ThreadPoolExecutor } from './thread-pool';

export class DefaultExecutor {
  /** null until it is needed, or set. */
  pool: ThreadPoolExecutor | null = null;
  /** asyncio: _executor_shutdown_called. */
  isShutDown = false;

  /** The pool, made at the first call. @throws RuntimeError (ERR_EXECUTOR_SHUTDOWN) */
  take(): ThreadPoolExecutor {
    this.check();
    return (this.pool ??= new ThreadPoolExecutor({ threadNamePrefix: 'asyncio' }));
  }

  /** @throws RuntimeError (ERR_EXECUTOR_SHUTDOWN) */
  check(): void {
    if (this.isShutDown) throw new RuntimeError('The default executor was shut down', 'ERR_EXECUTOR_SHUTDOWN');
  }

  /** With the loop: takes nothing more, and waits for nobody. */
  close(): void {
    this.isShutDown = true;
    const { pool } = this;
    this.pool = null;
    void pool?.shutdown({ wait: false });
  }
}
