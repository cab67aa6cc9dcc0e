import test from 'ava';
import { SparingLog } from '../../../src/agent/report/sparing-log.js';
import { recordingLog } from '../../fakes/log.js';

test('who makes a warning come ten thousand times does not fill the log, and is told of', (t) => {
  const { log, lines } = recordingLog();
  const sparing = new SparingLog(log);
  for (let index = 0; index < 10_000; index++) sparing.warn({ index }, 'lease refused');
  t.is(lines.length, 101);
  t.is(lines[99]!.index, 99);
  t.is(lines[100]!.like, 'lease refused');
});
