// host.ts: what Node's own loop offers, as it was when this was loaded. A test that puts fake timers in their place later
// means its own: a loop would never be woken by them. Time for a loop in tests is a VirtualClock.

export const { clearImmediate, clearTimeout, queueMicrotask, setImmediate, setTimeout } = globalThis;
export const nextTick = process.nextTick.bind(process);
