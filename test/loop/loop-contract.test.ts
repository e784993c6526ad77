// loop-contract.test.ts: the loop contract for every selector with every driver.

import { loopContract } from '../contracts/loop-contract';
import { forEveryLoop } from '../support/loops';

forEveryLoop(loopContract);
