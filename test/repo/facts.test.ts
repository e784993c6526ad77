// facts.test.ts: what test titles say about asyncio can be looked up.

import { spawnSync } from 'node:child_process';
import { root } from './source-tree';

test('every fact that a test names exists, and no excused fact has a test', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/facts.js'], { cwd: root, encoding: 'utf8' });
  expect(status === 0 ? '' : stderr).toBe('');
});
