// index.ts: "fdloop/testing", the kit for tests of programs that run on a loop: a clock that jumps.

export { VirtualClock } from '../loop/driver';
