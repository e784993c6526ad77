// host-name.ts: the name of a host as name servers and certificates have it. Python: the codec "idna".

import { inspect } from 'node:util';
import { domainToASCII } from 'node:url';

import { typeError, ValueError } from '../base/errors';

const LONGEST_LABEL = 63;

/**
 * A name in ASCII, with labels that a name server can be asked for; '' stays what it is.
 * @throws TypeError for what is no string, ValueError for what is no name
 */
export function asciiHostName(host: string): string {
  if (typeof host !== 'string') throw typeError(`the name of a host is a string, not ${inspect(host)}`);
  const name = /^[\0-\x7f]*$/.test(host) ? host : domainToASCII(host);
  const labels = name.split('.');
  const last = labels.pop() as string;
  const isGood = labels.every((label) => label !== '' && label.length <= LONGEST_LABEL);
  if (!isGood || last.length > LONGEST_LABEL || (name === '' && host !== '') || name.includes('\0')) {
    throw new ValueError(`${inspect(host)} cannot be the name of a host`, 'ERR_INVALID_HOST');
  }
  return name;
}
