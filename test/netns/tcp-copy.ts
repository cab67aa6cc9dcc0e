import type { Namespace } from '../../src/lab/namespace.js';

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

/** Sends so many random bytes, over and over, prints the hash of all, and tries until somebody listens. */
const SENDER = `
  const { createHash, randomBytes } = require('node:crypto');
  const bytes = randomBytes(${SIZE});
  const hash = createHash('sha256');
  const [, address, times] = process.argv;
  const send = () => require('node:net').connect(${PORT}, address, async function () {
    for (let i = 0; i < times; i++) {
      hash.update(bytes);
      await new Promise((resolve) => this.write(bytes, resolve));
    }
    this.end();
    console.log(hash.digest('hex'));
  }).on('error', () => setTimeout(send, 20));
  send();`;

/** A namespace, and an address that is its own. */
export interface End {
  readonly namespace: Namespace;
  readonly address: string;
}

/** Whether random bytes, so many times 16 MB, sent from one end to the other over TCP, are the same there. */
export async function copiesWhole(from: End, to: End, times = 1): Promise<boolean> {
  const [received, sent] = await Promise.all([
    to.namespace.exec([process.execPath, '-e', RECEIVER]),
    from.namespace.exec([process.execPath, '-e', SENDER, to.address, `${times}`]),
  ]);
  return received === sent && sent.length === 64;
}
