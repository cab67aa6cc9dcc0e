import type { Container } from '../../src/lab/container.js';

/** Bytes; some ten thousand packets. */
const SIZE = 16 << 20;
const PORT = 5001;

/** Prints the hash of all that arrives by one connection, and says before that when it listens. */
const RECEIVER = `
  const hash = require('node:crypto').createHash('sha256');
  require('node:net').createServer((socket) => {
    socket.on('data', (chunk) => hash.update(chunk));
    socket.on('end', () => { console.log(hash.digest('hex')); process.exit(); });
  }).listen(${PORT});`;

/** Sends so many random bytes, prints their hash, and tries until somebody listens. */
const SENDER = `
  const bytes = require('node:crypto').randomBytes(${SIZE});
  const send = () => require('node:net').connect(${PORT}, process.argv[1], function () {
    this.end(bytes);
    console.log(require('node:crypto').createHash('sha256').update(bytes).digest('hex'));
  }).on('error', () => setTimeout(send, 20));
  send();`;

/** Whether random bytes, sent from one container to the other over TCP, are the same there. */
export async function copiesWhole(from: Container, to: Container): Promise<boolean> {
  const [received, sent] = await Promise.all([
    to.namespace.exec([process.execPath, '-e', RECEIVER]),
    from.namespace.exec([process.execPath, '-e', SENDER, to.address]),
  ]);
  return received === sent && sent.length === 64;
}
