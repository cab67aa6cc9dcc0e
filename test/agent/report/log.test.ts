import test from 'ava';
import { createLog } from '../../../src/agent/report/log.js';

function linesOf(fields: object, message = 'said'): string[] {
  const lines: string[] = [];
  createLog({ format: 'text', level: 'info', colour: false }, (line) => lines.push(line)).info(
    fields,
    message,
  );
  return lines.map((line) => line.replace(/^\S+ /, ''));
}

test('a value stands bare where that is unambiguous, else in quotes', (t) => {
  t.deepEqual(linesOf({ subnet: '10.5.1.0/24', reason: 'no "such" thing', count: 3 }), [
    'info  said subnet=10.5.1.0/24 reason="no \\"such\\" thing" count=3\n',
  ]);
});

test('what somebody else wrote cannot break a line of the log, nor colour it', (t) => {
  t.deepEqual(linesOf({ key: 'k\u001b[31m\u009b2J', reason: 'a\nb' }), [
    'info  said key=k\\u{1b}[31m\\u{9b}2J reason="a\\nb"\n',
  ]);
  t.deepEqual(linesOf({}, 'its identity is x\n2026 error'), ['info  its identity is x\\u{a}2026 error\n']);
});
