// errors.ts: errors of the system as scripted sockets throw them, with this system's numbers.

import { makeOSError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';

export function systemError(code: string, message = code): Error {
  return makeOSError(message, { code, errno: -binding.errnoByName[code] });
}

export const again = (): Error => systemError('EAGAIN', 'again');
export const interrupted = (): Error => systemError('EINTR', 'interrupted');
