import test from 'ava';
import { formatTable } from '../../src/terminal/table.js';

test('columns are as wide as their widest cell, and lines end without spaces', (t) => {
  const rows = [
    ['10.5.1.0/24', 'ok'],
    ['10.5.10.0/24', ''],
  ].map((cells) => cells.map((text) => ({ text })));
  t.deepEqual(formatTable(['SUBNET', 'STATE'], rows).split('\n'), [
    'SUBNET        STATE',
    '10.5.1.0/24   ok',
    '10.5.10.0/24',
  ]);
});

test('colour takes no room', (t) => {
  const paint = (text: string) => `<<${text}>>`;
  const rows = [[{ text: 'a', paint }, { text: 'b' }]];
  t.is(formatTable(['AAA', 'B'], rows).split('\n')[1], '<<a>>    b');
});

test('what a cell holds cannot break out of its line, nor colour it', (t) => {
  const rows = [[{ text: '\u001b[31mevil\nrow' }, { text: 'b' }]];
  t.is(formatTable(['A', 'B'], rows).split('\n').at(-1), '\\u{1b}[31mevil\\u{a}row  b');
});
