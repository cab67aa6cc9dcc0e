/** Notes when a daemon is ready: asked every other millisecond, from where its health port is. */
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../clock.js';
import { answer } from './answer.js';

export type AwaitReadyInput =
  /** /readyz on the loopback. */
  | { readonly port: number; readonly deadlineMs: number }
  /** A file that is written anew, for a daemon that has no /readyz. */
  | { readonly file: string; readonly deadlineMs: number };

const EVERY_MS = 2;

/** `monotonicMs` of the first look that found it so. */
async function awaitReady(input: AwaitReadyInput, ready: () => void): Promise<number> {
  const end = monotonicMs() + input.deadlineMs;
  const before = 'file' in input ? writtenAt(input.file) : 0;
  const isReady = async () => ('file' in input ? writtenAt(input.file) !== before : answersReady(input.port));
  ready();
  while (!(await isReady())) {
    if (monotonicMs() > end) throw new Error(`not ready within ${input.deadlineMs / 1000} s`);
    await delay(EVERY_MS);
  }
  return monotonicMs();
}

function writtenAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function answersReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /readyz HTTP/1.0\r\n\r\n'));
    let text = '';
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(/^HTTP\/1\.\d 200 /.test(text)));
  });
}

answer(awaitReady);
