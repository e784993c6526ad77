'use strict';
// echo.js: the protocol of both servers.

const { Protocol } = require('fdloop');

exports.EchoServer = class EchoServer extends Protocol {
  connectionMade(transport) {
    this.transport = transport;
  }

  dataReceived(chunk) {
    this.transport.write(chunk);
  }
};
