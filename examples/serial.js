'use strict';
// serial.js: talks to a serial port, or any other terminal device: sends the lines of the standard input, and shows those that
// come back.  stty -F /dev/ttyUSB0 9600 raw -echo; node examples/serial.js /dev/ttyUSB0

const { constants, openSync } = require('node:fs');
const { getRunningLoop, run, StreamReader, StreamReaderProtocol, StreamWriter, taskGroup } = require('..');

async function readFrom(descriptor) {
  const reader = new StreamReader();
  const [transport] = await getRunningLoop().connectReadPipe(() => new StreamReaderProtocol(reader), descriptor);
  return [reader, transport];
}

async function writeTo(descriptor) {
  const loop = getRunningLoop();
  // Its protocol knows when there is room to write; nothing is ever read by it.
  const [transport, protocol] = await loop.connectWritePipe(
    () => new StreamReaderProtocol(new StreamReader()),
    descriptor,
  );
  return new StreamWriter(transport, protocol, null, loop);
}

async function main(device) {
  // One descriptor for each direction: each transport closes its own.
  const flags = constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK;
  const [answers, port] = await readFrom(openSync(device, flags));
  const writer = await writeTo(openSync(device, flags));
  const [input] = await readFrom(0);

  await taskGroup(async (group) => {
    group.createTask(async () => {
      for await (const line of input) {
        writer.write(line);
        await writer.drain();
      }
      writer.close();
      port.close();
    });
    group.createTask(async () => {
      for await (const line of answers) console.log(`< ${line.toString().trimEnd()}`);
    });
  });
}

const [device] = process.argv.slice(2);
if (device === undefined) console.log('usage: node serial.js DEVICE');
else run(() => main(device));
