// SPDX-License-Identifier: GPL-3.0-or-later
// Right: Node.js. Its decoder of UTF-8 waits for the rest of a character; other bytes become
// U+FFFD.
const net = require("node:net");

net.createServer({ allowHalfOpen: true }, (socket) => {
	socket.setEncoding("utf8");
	socket.on("data", (text) => socket.write(text.toUpperCase()) || socket.pause());
	socket.on("drain", () => socket.resume());
	socket.on("end", () => socket.end());
	socket.on("error", () => socket.destroy());
}).listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 100 });
