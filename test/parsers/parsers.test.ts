import test from 'ava';
import fc from 'fast-check';
import { hostileText, longTexts } from './hostile-texts.js';
import { PARSERS, type Parser } from './parsers.js';

/** What is read in time proportional to its length takes a few milliseconds. */
const LONGEST_MS = 1_000;

for (const parser of PARSERS) {
  test(`what reads ${parser.reads} takes any text for what it is, or refuses it`, async (t) => {
    await fc.assert(
      fc.asyncProperty(hostileText(parser.examples), (text) => isTaken(parser, text)),
      { numRuns: 2_000 },
    );
    for (const example of parser.examples) t.true(await isTaken(parser, example), example);
  });

  test(`what reads ${parser.reads} is soon done with a long one`, async (t) => {
    for (const text of longTexts(parser.examples)) {
      const started = performance.now();
      t.true(await isTaken(parser, text), shownStart(text));
      t.true(performance.now() - started < LONGEST_MS, shownStart(text));
    }
  });
}

/** False, or an error, when it breaks a rule. */
async function isTaken({ read, throws, holds }: Parser, text: string): Promise<boolean> {
  let result: unknown;
  try {
    result = await read(text);
  } catch (error) {
    if (throws && error instanceof throws) return true;
    throw error;
  }
  return holds?.(result, text) ?? true;
}

function shownStart(text: string): string {
  return `${JSON.stringify(text.slice(0, 60))}… of ${text.length}`;
}
