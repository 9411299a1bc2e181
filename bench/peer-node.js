// SPDX-License-Identifier: GPL-3.0-or-later
// A peer of upcased: a server on Node.js, with what its streams and datagram sockets offer.
'use strict';

const dgram = require('dgram');
const net = require('net');

const port = Number(process.argv[2]);
const host = '127.0.0.1';

// In the buffer itself: no string is made.
function capitals(text) {
	for (let i = 0; i < text.length; i++) {
		const c = text[i];
		if (c >= 97 && c <= 122)
			text[i] = c - 32;
	}
	return text;
}

const tcp = net.createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
	client.on('data', (text) => {
		if (!client.write(capitals(text)))
			client.pause();
	});
	client.on('drain', () => client.resume());
	client.on('end', () => client.end());
	client.on('error', () => client.destroy());
});

const udp = dgram.createSocket({
	type: 'udp4',
	recvBufferSize: 4 << 20,
	// An address needs no look-up.
	lookup: (name, options, done) => done(null, name, 4),
});
udp.on('message', (text, from) => udp.send(capitals(text), from.port, from.address));
udp.on('error', () => {});

tcp.listen({ port, host, backlog: 4096 }, () => udp.bind(port, host, () => console.log('ready')));
