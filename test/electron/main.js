'use strict';
// main.js: the main script of the embedder: the cases, then an end with everything still open.

const fdloop = require(process.env.FDLOOP_ENTRY ?? '../..');
const runCases = require('./cases');

const { embedder } = globalThis;

console.log(
  `Node ${process.versions.node}, libuv ${process.versions.uv}, driven as by Electron; ${process.type} process`,
);
runCases(fdloop, embedder.post).then(
  ({ failed }) => {
    // The environment ends with a run, watches, a thread and a timer on it.
    const [left] = fdloop.socketpair();
    fdloop.watch(left, 'r', () => undefined);
    void new fdloop.SelectorEventLoop({ selector: new fdloop.PollSelector() }).runForever();
    void new fdloop.SelectorEventLoop().runForever();
    embedder.post(() => embedder.quit(failed > 0 ? 1 : 0), 0.05);
  },
  (error) => {
    console.log(`not ok - the cases end\n${error.stack}`);
    embedder.quit(1);
  },
);
