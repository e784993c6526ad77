// flow-control.ts: tells a protocol when to stop writing and when to go on. asyncio: transports._FlowControlMixin.

import { FLOW_CONTROL_HIGH_WATER } from '../base/constants';
import { isFatal, typeError, ValueError } from '../base/errors';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { describeType } from '../sockets/arguments';
import type { BaseProtocol } from './protocol';
import { Transport } from './transport';

export abstract class FlowControlTransport extends Transport {
  /** @internal */ _loop: BaseEventLoop | null;
  /** @internal */ _protocol: BaseProtocol | null = null;
  /** @internal */ _protocolPaused = false;
  /** @internal */ _highWater = FLOW_CONTROL_HIGH_WATER;
  /** @internal */ _lowWater = FLOW_CONTROL_HIGH_WATER / 4;

  constructor(extra: Record<string, unknown>, loop: BaseEventLoop) {
    super(extra);
    this._loop = loop;
  }

  override setProtocol(protocol: BaseProtocol): void {
    this._protocol = protocol;
  }

  override getProtocol(): BaseProtocol | null {
    return this._protocol;
  }

  override setWriteBufferLimits(high: number | null = null, low: number | null = null): void {
    this._setWriteBufferLimits(high, low);
    // Lower marks may pause at once; higher ones never resume (TR-040): the buffer has to drain first.
    this._maybePauseProtocol();
  }

  override getWriteBufferLimits(): [low: number, high: number] {
    return [this._lowWater, this._highWater];
  }

  /** @internal */
  _setWriteBufferLimits(high: number | null = null, low: number | null = null): void {
    for (const mark of [high, low]) {
      if (mark !== null && typeof mark !== 'number') {
        throw typeError(`a mark of flow control is a number of bytes or null, not ${describeType(mark)}`);
      }
    }
    const top = high ?? (low === null ? FLOW_CONTROL_HIGH_WATER : 4 * low);
    const bottom = low ?? Math.floor(top / 4);
    if (!(top >= bottom && bottom >= 0)) {
      throw new ValueError(`high (${top}) must be at least low (${bottom}), and low at least 0`);
    }
    this._highWater = top;
    this._lowWater = bottom;
  }

  /** @internal */
  _maybePauseProtocol(): void {
    if (this._protocolPaused || this.getWriteBufferSize() <= this._highWater) return;
    this._protocolPaused = true;
    this.#tell('pauseWriting');
  }

  /** @internal */
  _maybeResumeProtocol(): void {
    if (!this._protocolPaused || this.getWriteBufferSize() > this._lowWater) return;
    this._protocolPaused = false;
    this.#tell('resumeWriting');
  }

  #tell(method: 'pauseWriting' | 'resumeWriting'): void {
    const protocol = this._protocol;
    try {
      protocol?.[method]();
    } catch (error) {
      if (isFatal(error)) throw error;
      this._loop?.callExceptionHandler({
        message: `protocol.${method}() failed`,
        exception: error,
        transport: this,
        protocol,
      });
    }
  }
}
