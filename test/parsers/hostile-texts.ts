/** Texts that somebody may write who is careless, or means harm. */
import fc from 'fast-check';

/** Of one kind of text, valid ones: what a hostile one is made from. */
export type Examples = readonly [string, ...string[]];

const PIECES = [
  '',
  ' ',
  '\n',
  '\t',
  '\0',
  '"',
  "'",
  '\\',
  '/',
  '=',
  ',',
  '-',
  '$',
  '#',
  '{',
  '}',
  '[',
  ']',
  'constructor',
  '__proto__',
];

/** Where a range ends, or a number is read as another than it says. */
const NUMBERS = [
  '0',
  '00',
  '024',
  '1',
  '7',
  '24',
  '31',
  '32',
  '33',
  '99',
  '127',
  '128',
  '255',
  '256',
  '65536',
  '1e3',
  '-1',
];

/** Words and numbers, and each character between them. */
function tokensOf(text: string): string[] {
  return text.match(/\d+|[A-Za-z_]+|./gs) ?? [];
}

/** Anything, JSON, and examples with a part cut out, doubled, swapped for another's or spoilt. */
export function hostileText(examples: Examples): fc.Arbitrary<string> {
  const example = fc.constantFrom(...examples);
  const piece = fc.oneof(
    fc.constantFrom(...PIECES),
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.integer().map(String),
  );
  // Of a double each representation is as likely as another: nearly all are next to nothing.
  const cut = fc.nat(999).map((thousandths) => thousandths / 1000);
  const spoilt = fc.tuple(example, example, cut, cut, piece).map(([text, other, from, to, between]) => {
    const [start, end] = [Math.floor(from * text.length), Math.floor(to * other.length)];
    return text.slice(0, start) + between + other.slice(end);
  });
  const odd = fc.oneof(
    fc.constantFrom(...NUMBERS),
    fc.constantFrom(...PIECES),
    fc.constantFrom(...examples.flatMap(tokensOf)),
  );
  const swapped = fc
    .tuple(example, fc.array(fc.tuple(cut, odd), { minLength: 1, maxLength: 2 }))
    .map(([text, swaps]) => {
      const tokens = tokensOf(text);
      for (const [at, token] of swaps) tokens[Math.floor(at * tokens.length)] = token;
      return tokens.join('');
    });
  const [begun, ended] = [
    fc.tuple(example, cut).map(([text, to]) => text.slice(0, Math.floor(to * text.length))),
    fc.tuple(example, piece).map(([text, end]) => text + end),
  ];
  return fc.oneof(
    spoilt,
    swapped,
    swapped,
    swapped,
    begun,
    ended,
    example,
    fc.string({ unit: 'binary' }),
    fc.json(),
  );
}

export const LONG = 64 * 1024;

const REPEATED = [...PIECES.filter((piece) => piece !== ''), '0', 'a', ':', '.', ' #', '("', '=\n', 'a=\n'];

/** What takes longest to read, if anything does: one piece over and over, inside an example or where it ends. */
export function* longTexts(examples: Examples): Generator<string> {
  for (const piece of REPEATED) {
    const run = piece.repeat(LONG / piece.length);
    yield run;
    for (const example of examples)
      for (const at of [0, Math.floor(example.length / 2), example.length - 1, example.length])
        yield example.slice(0, at) + run + example.slice(at);
  }
  for (const nested of ['[', '{"a":'].map((open) => nest(open)))
    for (const text of [nested, ...examples.map((example) => spliceValue(example, nested))]) yield text;
}

function nest(open: string): string {
  const deep = Math.floor(LONG / 6);
  return `${open.repeat(deep)}0${(open === '[' ? ']' : '}').repeat(deep)}`;
}

/** The JSON example with its first value swapped. */
function spliceValue(example: string, value: string): string {
  return example.replace(/: *(?:"[^"]*"|\d+|true|false|null)/, () => `:${value}`);
}
