// constants.ts: the numbers of the library, each with its unit and its reason. asyncio: constants.py.

/** Seconds, as everywhere in asyncio. Named so that a signature says it. */
export type Seconds = number;

/** Bits of an event mask. asyncio: selectors.EVENT_READ, EVENT_WRITE. */
export const EVENT_READ = 1;
export const EVENT_WRITE = 2;

// More bits, outside of asyncio's contract and far from its own. Each is taken by the selectors that support it.

/** Priority: urgent data of a socket, an exceptional condition of a pseudo file (mountinfo, GPIO, cgroups). */
export const EVENT_PRI = 0x10000;
/** Edge-triggered: reported when something new happens, and not again while it stays so. */
export const EVENT_EDGE = 0x20000;
/** One-shot: reported once, errors and hang-ups included, and then not before the next `modify`. */
export const EVENT_ONESHOT = 0x40000;

/** Writes dropped on a lost connection before a warning is logged for each further one. */
export const LOG_THRESHOLD_FOR_CONNLOST_WRITES = 5;

/** Seconds to wait before accepting again after the system ran out of descriptors or memory. */
export const ACCEPT_RETRY_DELAY: Seconds = 1;

/** Bytes that one read may return. */
export const MAX_READ_SIZE = 256 * 1024;

/** Bytes of the high-water mark of a stream transport's write buffer. The low one is a quarter of it. */
export const FLOW_CONTROL_HIGH_WATER = 64 * 1024;

/** Timers below which cancelled ones are never purged in bulk, and the share of cancelled ones above which they are. */
export const MIN_SCHEDULED_TIMER_HANDLES = 100;
export const MIN_CANCELLED_TIMER_HANDLES_FRACTION = 0.5;

/** Seconds that one wait may last: 24 hours, which every system call can take. */
export const MAXIMUM_SELECT_TIMEOUT: Seconds = 24 * 3600;

/** Seconds after which debug mode calls a callback slow. */
export const SLOW_CALLBACK_DURATION: Seconds = 0.1;

/** Connections that `listen` queues and that one readiness of a listening socket accepts at the most. */
export const DEFAULT_BACKLOG = 100;

/** Seconds that a runner waits for the threads of the executor. */
export const THREAD_JOIN_TIMEOUT: Seconds = 300;
