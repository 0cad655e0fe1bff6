// broadcast.mjs PORT BYTES HZ: the same text to every client, HZ times a second, as anybody would write it.
import { WebSocketServer } from "ws";

const [port, bytes, hz] = process.argv.slice(2).map(Number);
const server = new WebSocketServer({ host: "127.0.0.1", port, perMessageDeflate: false, backlog: 8192 });
let seq = 0;

setInterval(() => {
  const born = process.hrtime.bigint();
  const text = `{"type":"position","seq":${++seq},"born_ns":${born},"data":{"x":1.0,"y":2.0,"theta":0.5}}`.padEnd(bytes);
  for (const client of server.clients) client.send(text);
}, 1000 / hz);
