import test from 'ava';
import fc from 'fast-check';
import { type DiffLine, lineDiff } from '../../src/terminal/line-diff.js';

function text(lines: readonly DiffLine[], ...signs: readonly string[]): string {
  const kept = lines.filter(({ sign }) => signs.includes(sign));
  return kept.map((line) => line.text).join('\n');
}

test('what both texts have is kept once, in its place', (t) => {
  t.deepEqual(
    lineDiff('a\nb\nc', 'a\nx\nc\nd').map(({ sign, text }) => sign + text),
    [' a', '-b', '+x', ' c', '+d'],
  );
});

test('either text can be read out of the difference', (t) => {
  const letters = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1 })
    .map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(letters, letters, (before, after) => {
      const lines = lineDiff(before, after);
      t.is(text(lines, ' ', '-'), before);
      t.is(text(lines, ' ', '+'), after);
    }),
  );
});

test('equal texts have no difference', (t) => {
  fc.assert(fc.property(fc.string(), (any) => lineDiff(any, any).every(({ sign }) => sign === ' ')));
  t.pass();
});
