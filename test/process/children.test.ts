// children.test.ts: child processes and what is around them: no descriptors left, no reference left, a worker, the end of one.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { useCompiledLibrary } from '../support/compiled-library';
import { describeOnPosix, isLinux } from '../support/systems';

// `openNow` has what the library opens. `untilGone` spawns until a child that nobody wants any more is reaped, which spawning does.
const kit = `
  const fs = require('node:fs');
  const { PIPE, DEVNULL } = fdloop;
  const all = { stdin: PIPE, stdout: PIPE, stderr: PIPE };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const isThere = (pid) => { try { process.kill(pid, 0); return true; } catch { return false; } };
  const openNow = () => fs.readdirSync('/proc/self/fd').filter((fd) => {
    try { return /socket|pipe|eventpoll|pidfd/.test(fs.readlinkSync('/proc/self/fd/' + fd)); } catch { return false; }
  });
  const untilGone = async (pid) => {
    for (let count = 0; isThere(pid); count++) {
      if (count === 2000) throw new Error('process ' + pid + ' is still there');
      global.gc?.();
      await turn();
      const loop = fdloop.newEventLoop();
      await loop.runUntilComplete(async () => (await fdloop.createSubprocessExec('true')).wait());
      loop.close();
    }
  };
  const seen = [];
  process.on('warning', (warning) => seen.push(warning.name + ': ' + warning.message));
`;

describeOnPosix('child processes', () => {
  const library = useCompiledLibrary();
  const nodeOptions = ['--expose-gc'];
  const ok = { status: 0, signal: null, stderr: '' };

  (isLinux ? test : test.skip)(
    'a transport that is dropped unclosed with its loop kills its process, with a ResourceWarning',
    async () => {
      const end = await library.run(
        `${kit}
      (async () => {
        const before = openNow().length;
        const start = async () => {
          const loop = fdloop.newEventLoop();
          const factory = () => new fdloop.SubprocessProtocol();
          const [transport] = await loop.runUntilComplete(loop.subprocessExec(factory, 'sleep', ['1000'], { stdin: DEVNULL }));
          loop.close();
          return transport.getPid();
        };
        const pid = await start();
        for (let count = 0; count < 500 && !seen.some((text) => text.includes(pid)); count++) { global.gc(); await turn(); }
        await untilGone(pid);
        for (let count = 0; count < 500 && openNow().length > before; count++) { global.gc(); await turn(); }
        const own = seen.filter((text) => text.includes('process')).map((text) => text.replace(pid, 'PID'));
        console.log(JSON.stringify([own, openNow().length - before]));
      })();`,
        { nodeOptions },
      );
      const warning = 'ResourceWarning: unclosed transport: its process, PID, is killed now if it runs';
      expect(JSON.parse(end.stdout)).toEqual([[warning], 0]);
      expect(end.status).toBe(0);
    },
  );

  test('a process that is over is dropped without a word, closed or not', async () => {
    const end = await library.run(
      `${kit}
      (async () => {
        const loop = fdloop.newEventLoop();
        await loop.runUntilComplete(async () => {
          const over = loop.createFuture();
          class Protocol extends fdloop.SubprocessProtocol { connectionLost() { over.setResult(); } }
          await loop.subprocessExec(() => new Protocol(), 'true');
          await over;
          await (await fdloop.createSubprocessExec('true', [], all)).communicate();
        });
        for (let count = 0; count < 20; count++) { global.gc(); await turn(); }
        loop.close();
        console.log(JSON.stringify(seen));
      })();`,
      { nodeOptions },
    );
    expect(end).toEqual({ ...ok, stdout: '[]\n' });
  });

  (isLinux ? test : test.skip)('without enough descriptors there is an error, and nothing is left', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-test-'));
    const script = library.script(
      `${kit}
      const own = new Set(openNow());
      const isNew = (fd) => !own.has(fd);
      const loop = fdloop.newEventLoop();
      const pids = [];
      const { binding } = lib('native/binding');
      const { spawn } = binding;
      binding.spawn = (...args) => { const child = spawn(...args); if (typeof child !== 'number') pids.push(binding.childPid(child)); return child; };
      const start = async () => (await fdloop.createSubprocessExec('true', [], all)).communicate();
      const outcomes = new Set();
      const squeeze = async () => {
        const taken = [];
        try { for (;;) taken.push(fs.openSync('/dev/null')); } catch {}
        for (let free = 0; free < 14; free++) {
          outcomes.add(await start().then(() => 'ran', (error) => error.code));
          fs.closeSync(taken.pop());
        }
        for (const fd of taken) fs.closeSync(fd);
      };
      (async () => {
        await loop.runUntilComplete(squeeze);
        for (const pid of pids) await untilGone(pid);
        loop.close();
        for (let count = 0; count < 500 && openNow().some(isNew); count++) { global.gc(); await turn(); }
        console.log([...outcomes].join(), openNow().filter(isNew).length);
      })();
`,
      path.join(folder, 'script.js'),
    );
    const command = `ulimit -n 64; exec "$0" --expose-gc "$1"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, script], { encoding: 'utf8' });
    fs.rmSync(folder, { recursive: true });
    expect([stdout, stderr]).toEqual(['EMFILE,ran 0\n', '']);
  });

  test('a worker has children of its own, in both kinds of runs', async () => {
    const end = await library.run(
      `${kit}
      const { Worker, isMainThread, parentPort } = require('node:worker_threads');
      const source = 'const library = ' + JSON.stringify(libraryFolder) + ';(' + (() => {
        const fdloop = require(library + 'index');
        const { parentPort } = require('node:worker_threads');
        const body = async () => {
          process.env.ONLY_HERE = 'yes';
          const made = await fdloop.createSubprocessShell('cat; echo $ONLY_HERE; exit 3', { stdin: fdloop.PIPE, stdout: fdloop.PIPE });
          const [output] = await made.communicate(Buffer.from('text '));
          return [String(output), made.returncode];
        };
        const loop = fdloop.newEventLoop();
        const first = loop.runUntilCompleteSync(body);
        loop.runUntilComplete(body).then((second) => { loop.close(); parentPort.postMessage([first, second]); });
      }) + ')()';
      new Worker(source, { eval: true }).on('message', (results) => console.log(JSON.stringify(results)));`,
    );
    expect(end).toEqual({ ...ok, stdout: '[["text yes\\n",3],["text yes\\n",3]]\n' });
  });

  (isLinux ? test : test.skip)(
    'a worker that is terminated leaves no descriptor, and its child to whoever spawns next',
    async () => {
      const end = await library.run(
        `${kit}
      const { Worker } = require('node:worker_threads');
      const source = 'const library = ' + JSON.stringify(libraryFolder) + ';(' + (() => {
        const fdloop = require(library + 'index');
        const { parentPort } = require('node:worker_threads');
        const loop = fdloop.newEventLoop();
        const all = { stdin: fdloop.PIPE, stdout: fdloop.PIPE };
        loop.runUntilComplete(async () => {
          const made = await fdloop.createSubprocessExec('cat', [], all);
          parentPort.postMessage(made.pid);
          await made.wait();
        });
      }) + ')()';
      (async () => {
        const before = openNow().length;
        const worker = new Worker(source, { eval: true });
        const pid = await new Promise((resolve) => worker.on('message', resolve));
        await worker.terminate();
        // Its input has come to its end.
        await untilGone(pid);
        console.log(openNow().length - before);
      })();`,
      );
      expect(end).toEqual({ ...ok, stdout: '0\n' });
    },
  );

  test('a hosted run that waits for a child keeps the process alive', async () => {
    const end = await library.run(
      `fdloop.run(async () => {
        const made = await fdloop.createSubprocessShell('exit 6');
        console.log(await made.wait());
      });`,
    );
    expect(end).toEqual({ ...ok, stdout: '6\n' });
  });

  test('a process that ends leaves its children running', async () => {
    const end = await library.run(
      `fdloop.runSync(async () => {
        const made = await fdloop.createSubprocessExec('sleep', ['1000']);
        console.log(made.pid);
        process.exit(0);
      });`,
    );
    expect(end.status).toBe(0);
    expect(process.kill(Number(end.stdout), 'SIGKILL')).toBe(true);
  });
});
