// SPDX-License-Identifier: GPL-3.0-or-later
// Right: Node.js. Other bytes than UTF-8 become U+FFFD.
const dgram = require("node:dgram");

const server = dgram.createSocket("udp4");
server.on("message", (message, peer) =>
	server.send(message.toString().toUpperCase(), peer.port, peer.address, () => {}));
server.bind(Number(process.argv[2]), "127.0.0.1");
