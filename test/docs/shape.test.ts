import test from 'ava';
import { sameShape } from './shape.js';

const PRINTED = `SUBNET         PUBLIC IP     TTL
10.77.113.0/24  192.168.77.1  23h59m
10.77.9.0/24    192.168.77.2  24h
ok`;

test('times, numbers, addresses and widths of columns may differ', (t) => {
  t.true(sameShape(PRINTED, PRINTED));
  t.true(
    sameShape(
      'SUBNET PUBLIC IP TTL\n10.5.9.0/24 192.0.2.1 1h\n10.5.34.0/24 192.0.2.2 15m\n\nok',
      PRINTED.replaceAll('\n', '\n\n'),
    ),
  );
  t.true(
    sameShape('at 2026-03-01T09:15:02.113Z c6:d2:32:6f:8f:44', 'at 2031-12-24T18:00:00Z 02:00:00:00:00:01'),
  );
});

test('words, missing lines and further lines do differ', (t) => {
  t.false(sameShape(PRINTED, PRINTED.replace('ok', 'refused')));
  t.false(sameShape(PRINTED, PRINTED.split('\n').slice(1).join('\n')));
  t.false(sameShape(PRINTED, `${PRINTED}\nanother`));
  t.false(sameShape('a.c', 'abc'));
});

test('an ellipsis stands for text in its line, and on a line alone for any number of lines', (t) => {
  t.true(sameShape('SUBNET …\n…\nok', PRINTED));
  t.true(sameShape(`…\n${PRINTED}\n…`, PRINTED));
  t.false(sameShape('…\nnot there', PRINTED));
  t.false(sameShape('SUBNET …', PRINTED));
});
