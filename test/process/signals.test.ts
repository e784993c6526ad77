// signals.test.ts: what signals do to a whole process: its end that does not come, Node's own listeners and children beside
// the loop, several loops, workers, and what is left when everything is over.

import { useCompiledLibrary, type ChildEnd, type ChildOptions } from '../support/compiled-library';
import { describeOnPosix, testOnLinux } from '../support/systems';

/** Names of the scripts. */
const kit = `
  const kill = (signal) => process.kill(process.pid, signal);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const loop = fdloop.newEventLoop();
  let said = 0;
  const say = (what) => () => { said += 1; console.log(what); };
  const sayAndStop = (what) => () => { say(what)(); loop.stop(); };
  // Turns of Node's loop go by until as much was said.
  const untilSaid = async (count) => { for (const wanted = said + count; said < wanted;) await turn(); };
`;

/** The bits of /proc/self/status that tell of one signal: is it caught, is it ignored? */
const disposition = `
  const dispositionOf = (name) => {
    const bit = 1n << BigInt(require('node:os').constants.signals[name] - 1);
    const status = require('node:fs').readFileSync('/proc/self/status', 'utf8');
    const has = (set) => (BigInt('0x' + new RegExp(set + ':\\\\s*(\\\\w+)').exec(status)[1]) & bit) !== 0n;
    return has('SigCgt') ? 'caught' : has('SigIgn') ? 'ignored' : 'default';
  };
`;

describeOnPosix('a signal and a process', () => {
  const library = useCompiledLibrary();

  const run = (script: string, options?: ChildOptions): Promise<ChildEnd> => library.run(kit + script, options);

  async function lines(script: string, options?: ChildOptions): Promise<string[]> {
    const end = await run(script, options);
    expect(end).toEqual(expect.objectContaining({ status: 0, signal: null, stderr: '' }));
    return end.stdout.split('\n').slice(0, -1);
  }

  /** Sends `signal` when the process says that it waits. */
  const signalled = (signal: NodeJS.Signals): ChildOptions => ({
    onOutput: (text, child) => void (text.includes('waits') && child.kill(signal)),
  });

  test.each(['loop.runForeverSync()', 'loop.runForever()'])(
    'a loop that waits is woken from outside, and does not die: %s',
    async (verb) => {
      const heard = await lines(
        `loop.addSignalHandler('SIGTERM', sayAndStop('heard'));
        console.log('waits');
        setImmediate(() => ${verb});`,
        signalled('SIGTERM'),
      );
      expect(heard).toEqual(['waits', 'heard']);
    },
  );

  test('UNIX-007: a system call that is interrupted goes on', async () => {
    // libuv gives an interrupted read back as EINTR.
    const heard = await lines(
      `const { spawn } = require('node:child_process');
      const [near, far] = fdloop.socketpair();
      near.setblocking(true);
      loop.addSignalHandler('SIGTERM', sayAndStop('heard'));
      const helper = spawn('sh', ['-c', 'for i in 1 2 3; do sleep 0.02; kill -TERM ' + process.pid + '; done; echo x >&3'], {
        stdio: ['ignore', 'ignore', 'inherit', far.fileno()],
      });
      const byte = Buffer.alloc(1);
      console.log(require('node:fs').readSync(near.fileno(), byte), String(byte));
      loop.runForeverSync();
      near.close();
      far.close();
      loop.close();`,
    );
    expect(heard).toEqual(['1 x', 'heard', 'heard', 'heard']);
  });

  test('UNIX-012, UNIX-014: after the last callback the process does what it did before', async () => {
    const end = await run(
      `loop.addSignalHandler('SIGTERM', sayAndStop('heard'));
      kill('SIGTERM');
      loop.runForeverSync();
      console.log(loop.removeSignalHandler('SIGTERM'));
      kill('SIGTERM');
      for (;;);`,
    );
    expect(end).toEqual({ status: null, signal: 'SIGTERM', stdout: 'heard\ntrue\n', stderr: '' });
  });

  testOnLinux('UNIX-012: what was ignored is ignored again, and Node has its debugger signal back', async () => {
    const found = await lines(
      `${disposition}
      const names = ['SIGUSR1', 'SIGPIPE', 'SIGHUP'];
      const all = () => names.map(dispositionOf).join(' ');
      console.log(all());
      for (const name of names) loop.addSignalHandler(name, name === 'SIGHUP' ? sayAndStop(name) : say(name));
      console.log(all());
      for (const name of names) kill(name);
      loop.runForeverSync();
      loop.removeSignalHandler('SIGPIPE');
      loop.close();
      console.log(all());`,
    );
    expect(found).toEqual([
      'caught ignored default',
      'caught caught caught',
      'SIGUSR1',
      'SIGPIPE',
      'SIGHUP',
      'caught ignored default',
    ]);
  });

  test('UNIX-003: a worker hears no signals', async () => {
    const heard = await lines(
      `const { Worker } = require('node:worker_threads');
      const code = "const fdloop = require(" + JSON.stringify(libraryFolder + 'index') + ");" +
        "const loop = fdloop.newEventLoop();" +
        "try { loop.addSignalHandler('SIGTERM', () => {}); } catch (error) { console.log(error.name, error.code); }" +
        "console.log(loop.removeSignalHandler('SIGTERM')); loop.close();";
      new Worker(code, { eval: true }).on('exit', () => loop.close());`,
    );
    expect(heard).toEqual(['RuntimeError ERR_NOT_MAIN_THREAD', 'false']);
  });

  test('listeners of process.on hear too, whether they came before or after, and may go again', async () => {
    const heard = await lines(
      `const before = say('before'), after = say('after');
      process.on('SIGTERM', before);
      loop.addSignalHandler('SIGTERM', sayAndStop('loop'));
      const round = async (count) => {
        kill('SIGTERM');
        const isSaid = untilSaid(count);
        await loop.runForever();
        await isSaid;
        console.log('-');
      };
      (async () => {
        await round(2);
        process.on('SIGTERM', after);
        await round(3);
        process.removeListener('SIGTERM', before);
        process.removeListener('SIGTERM', after);
        await round(1);
        process.on('SIGTERM', after);
        loop.removeSignalHandler('SIGTERM');
        kill('SIGTERM');
        await untilSaid(1);
        process.removeListener('SIGTERM', after);
        loop.close();
      })();`,
    );
    const rounds = heard.join(' ').split(' - ');
    // Which of the two is first is up to Node's loop.
    expect(rounds.map((round) => round.split(' ').sort())).toEqual([
      ['before', 'loop'],
      ['after', 'before', 'loop'],
      ['loop'],
      ['after'],
    ]);
  });

  test('a listener of process.on sees that somebody takes care', async () => {
    const heard = await lines(
      `loop.addSignalHandler('SIGTERM', () => {});
      console.log(process.listenerCount('SIGTERM'));
      loop.close();
      console.log(process.listenerCount('SIGTERM'));`,
    );
    expect(heard).toEqual(['1', '0']);
  });

  test('SIGCHLD is heard beside the children of child_process, whose ends Node still tells', async () => {
    const heard = await lines(
      `const { spawn } = require('node:child_process');
      const start = (status) => spawn('sh', ['-c', 'read line; exit ' + status]);
      const end = (child) => { child.stdin.end(); return new Promise((resolve) => child.on('close', resolve)); };
      (async () => {
        const early = start(1);
        loop.addSignalHandler('SIGCHLD', sayAndStop('SIGCHLD'));
        for (const make of [() => early, () => start(2), () => start(3)]) {
          const status = end(make());
          await loop.runForever();
          console.log(await status);
        }
        loop.removeSignalHandler('SIGCHLD');
        console.log(await end(start(4)));
        loop.close();
      })();`,
    );
    expect(heard).toEqual(['SIGCHLD', '1', 'SIGCHLD', '2', 'SIGCHLD', '3', '4']);
  });

  test('of several loops the one that asked last is told, and the one before after it', async () => {
    const heard = await lines(
      `const second = fdloop.newEventLoop();
      const ended = [loop.runForever(), second.runForever()];
      loop.addSignalHandler('SIGTERM', say('first'));
      second.addSignalHandler('SIGTERM', say('second'));
      second.addSignalHandler('SIGUSR2', say('another'));
      (async () => {
        const round = async (...signals) => { for (const signal of signals) kill(signal); await untilSaid(signals.length); };
        await round('SIGTERM', 'SIGUSR2');
        loop.addSignalHandler('SIGTERM', say('first again'));
        await round('SIGTERM', 'SIGUSR2');
        loop.removeSignalHandler('SIGTERM');
        await round('SIGTERM');
        second.stop();
        loop.addSignalHandler('SIGTERM', say('first at last'));
        await ended[1];
        second.close();
        await round('SIGTERM');
        loop.stop();
        await ended[0];
        loop.close();
      })();`,
    );
    expect(heard).toEqual(['second', 'another', 'first again', 'another', 'second', 'first at last']);
  });

  testOnLinux('a real-time signal, which has no name, is heard', async () => {
    const heard = await lines(
      `const { execFileSync } = require('node:child_process');
      loop.addSignalHandler(34, say(34));
      loop.addSignalHandler(64, sayAndStop(64));
      for (const signal of [34, 64]) execFileSync('kill', ['-' + signal, String(process.pid)]);
      loop.runForeverSync();
      loop.close();`,
    );
    expect(heard).toEqual(['34', '64']);
  });

  test('a callback does not keep the process alive', async () => {
    expect(await lines(`loop.addSignalHandler('SIGTERM', () => {}); console.log('ends');`)).toEqual(['ends']);
  });

  test('UNIX-014: a process that exits while signals are heard, and come, ends well', async () => {
    const end = await run(
      `process.on('exit', () => { kill('SIGTERM'); loop.stop(); setImmediate(() => loop.close()); });
      loop.addSignalHandler('SIGTERM', () => {});
      loop.runForever();
      setTimeout(() => { for (let i = 0; i < 100; i++) kill('SIGTERM'); process.exit(7); }, 1);`,
    );
    expect(end).toEqual({ status: 7, signal: null, stdout: '', stderr: '' });
  });

  test('a loop that is dropped while it hears signals takes its callbacks along', async () => {
    const end = await run(
      `(() => { fdloop.newEventLoop().addSignalHandler('SIGTERM', () => console.log('not heard')); })();
      (async () => {
        while (process.listenerCount('SIGTERM') > 0) { global.gc(); await turn(); }
        loop.close();
        kill('SIGTERM');
        for (;;);
      })();`,
      { nodeOptions: ['--expose-gc'] },
    );
    expect([end.signal, end.stdout]).toEqual(['SIGTERM', '']);
    expect(end.stderr).toContain('ResourceWarning: unclosed event loop');
  });

  test('a storm of one signal does not drown another', async () => {
    const heard = await lines(
      `let count = 0;
      loop.addSignalHandler('SIGUSR2', () => (count += 1));
      loop.addSignalHandler('SIGTERM', sayAndStop('over'));
      const script = 'for i in $(seq 300); do kill -USR2 ' + process.pid + '; done; kill -TERM ' + process.pid;
      require('node:child_process').spawn('sh', ['-c', script]);
      loop.runForeverSync();
      console.log(count > 0 && count <= 300);
      loop.close();`,
    );
    expect(heard).toEqual(['over', 'true']);
  });
});
