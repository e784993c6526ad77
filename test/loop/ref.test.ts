// ref.test.ts: whether a hosted run keeps its process alive. Each script is a process, and its end is what is looked at.

import { expectOk } from '../native/child-kit';
import { useCompiledLibrary } from '../support/compiled-library';
import { TestLoop } from '../support/loops';
import { DefaultSelector } from '../../lib/selectors/selectors';

const library = useCompiledLibrary();

/** A loop with one watched socket, `loop`, and its peer, `other`; says that it went well when the process ends. */
const subject = (selector: string) => `
  const { newEventLoop, socketpair, ${selector} } = fdloop;
  const loop = newEventLoop({ selector: new ${selector}() });
  const [socket, other] = socketpair();
  loop.addReader(socket, () => {});
  let ended = false;
  process.on('exit', (code) => { if (code === 0) console.log(ended ? 'the run has ended' : 'ok'); });
  const run = () => { loop.runForever().finally(() => { ended = true; }); };
`;

describe.each([DefaultSelector.name, 'SelectSelector'])('a hosted run on %s', (selector) => {
  test('an unreferenced one lets the process end: before, during, and with timers and callbacks waiting', async () => {
    const script = (then: string) => library.run(`${subject(selector)}${then}`);
    const ends = await Promise.all([
      script('loop.unref(); run();'),
      script('run(); loop.unref();'),
      script('run(); loop.callSoon(() => loop.unref());'),
      script('run(); setImmediate(() => setImmediate(() => loop.unref()));'),
      script('loop.unref(); run(); loop.callLater(3600, () => {});'),
      script('run(); loop.callLater(3600, () => {}); setImmediate(() => setImmediate(() => loop.unref()));'),
      script('loop.unref(); run(); const again = () => loop.callSoon(again); again();'),
      script('loop.unref(); loop.unref(); loop.ref(); loop.unref(); run();'),
    ]);
    for (const end of ends) expectOk(end);
  });

  test('a referenced one keeps it alive', async () => {
    const end = await library.run(`${subject(selector)}
      if (loop.hasRef() !== true || loop.unref() !== loop || loop.hasRef() !== false || loop.ref() !== loop) throw 1;
      run();
      loop.unref();
      loop.ref();
      loop.addReader(socket, () => loop.stop());
      setTimeout(() => other.send(Buffer.from('x')), 1).unref();`);
    expect(end).toMatchObject({ status: 0, stdout: 'the run has ended\n' });
  });

  test('an unreferenced one goes on while something else keeps the process alive', async () => {
    const end = await library.run(`${subject(selector)}
      loop.unref();
      run();
      const other1 = setInterval(() => {}, 60_000);
      let step = 0;
      loop.addReader(socket, () => {
        socket.recv(1);
        loop.callSoon(() => loop.callLater(0.001, () => setImmediate(() => loop.callSoon(() => {
          clearInterval(other1);
          loop.stop();
        }))));
      });
      other.send(Buffer.from('x'));`);
    expect(end).toMatchObject({ status: 0, stdout: 'the run has ended\n' });
  });
});

test('the choice belongs to the loop, and outlives its runs', async () => {
  const subject = new TestLoop('hosted', new DefaultSelector());
  const { loop } = subject;
  expect(loop.hasRef()).toBe(true);
  expect(loop.unref()).toBe(loop);
  await subject.runOnce();
  expect(loop.hasRef()).toBe(false);
  loop.callSoon(() => loop.ref());
  await subject.runOnce();
  expect(loop.hasRef()).toBe(true);
  loop.runUntilCompleteSync(loop.createTask(function* () {}));
  await subject.close();
  expect(loop.unref().hasRef()).toBe(false);
});
