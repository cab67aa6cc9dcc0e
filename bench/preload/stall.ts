/**
 * Loaded into a daemon before its own code (`--import …/stall.js?into=FILE`): measures for how long its event loop did
 * not turn, and writes the longest, in milliseconds, when it ends. Measuring begins with its first line in the log, which
 * it writes once all its modules are loaded: nobody waits for an answer before that.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Of the timer whose lateness is measured, in milliseconds: a stall is seen as that much longer at most. */
const RESOLUTION_MS = 1;

const file = new URL(import.meta.url).searchParams.get('into');
if (!file) throw new Error('stall.js?into=FILE: which file?');
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

const write = process.stderr.write.bind(process.stderr);
process.stderr.write = ((...words: Parameters<typeof write>) => {
  delay.enable();
  return write(...words);
}) as typeof write;
process.on('exit', () => writeFileSync(file, `${delay.max / 1e6}\n`));
