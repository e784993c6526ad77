'use strict';
// example.js: examples/demo.js in the embedder, which never ends by itself.

const { embedder } = globalThis;

console.log = ((log) => (line) => {
  log(line);
  if (!String(line).startsWith('done: ')) return;
  const messages = Number(/[\d,]+/.exec(line)[0].replaceAll(',', ''));
  log(`${messages > 1000 ? 'ok' : 'not ok'} - the echo example echoes thousands of messages`);
  embedder.post(() => embedder.quit(messages > 1000 ? 0 : 1), 0.2);
})(console.log);
require('../../examples/demo.js');
