// factory.ts: what makes a protocol for each connection.

import { inspect } from 'node:util';

import { typeError } from '../base/errors';
import { BaseProtocol } from '../transports/protocol';

/**
 * A class is no factory in JavaScript, as it is in Python: it cannot be called without `new`, and would fail with each
 * connection only.
 * @throws TypeError
 */
export function checkFactory(protocolFactory: unknown): void {
  if (typeof protocolFactory !== 'function') {
    throw typeError(`a protocol factory is a function, not ${inspect(protocolFactory, { depth: 0 })}`);
  }
  if (protocolFactory.prototype instanceof BaseProtocol) {
    throw typeError(`a protocol factory is a function, not a class: () => new ${protocolFactory.name}()`);
  }
}
