// options.ts: socket options that tests set and the library does not.

import { socketConstants } from '../../lib/sockets/constants';

export const { SO_SNDBUF, SO_RCVBUF } = socketConstants;
