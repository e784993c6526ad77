// accounts.ts: users and groups, by number or by name. Python: pwd.getpwnam, grp.getgrnam.

import { inspect } from 'node:util';

import { KeyError, typeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { check } from '../native/check';
import type { Result } from '../native/types';
import { describeType, int32 } from '../sockets/arguments';

/** A user or a group: its number, or its name. */
export type Account = number | string;

/** All of the 32 bits set mean nobody. */
const NOBODY = -1;

/** @throws TypeError, ValueError; KeyError (ERR_UNKNOWN_USER) for a name that the system does not know; OSError */
export function userNumber(user: unknown): number {
  return numberOf('user', user, (name, id) => binding.findUser(name, id));
}

/** @throws TypeError, ValueError; KeyError (ERR_UNKNOWN_GROUP) for a name that the system does not know; OSError */
export function groupNumber(group: unknown): number {
  return numberOf('group', group, (name, id) => binding.findGroup(name, id));
}

function numberOf(kind: 'user' | 'group', account: unknown, find: (name: string, id: Int32Array) => Result): number {
  if (typeof account === 'number') {
    const id = int32(account, `a ${kind}`);
    if (account < 0 || id === NOBODY) throw new ValueError(`a ${kind} cannot be ${account}`);
    return id;
  }
  if (typeof account !== 'string') throw typeError(`a ${kind} is a number or a name, not ${describeType(account)}`);
  if (account.includes('\0'))
    throw new ValueError(`the name of a ${kind} cannot have a NUL in it: ${inspect(account)}`);
  const id = new Int32Array(1);
  const result = find(account, id);
  if (result === -binding.errnoByName.ENOENT) {
    throw new KeyError(`there is no ${kind} ${inspect(account)}`, `ERR_UNKNOWN_${kind.toUpperCase()}`);
  }
  check(result, kind === 'user' ? 'getpwnam' : 'getgrnam');
  return id[0];
}
