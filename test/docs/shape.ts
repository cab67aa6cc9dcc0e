/** Compares what a page shows with what a program printed: times, numbers and addresses differ from run to run. */

/** In order: what is longest first. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'],
  [/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, '<mac>'],
  [/\b[0-9a-f]{16,32}\b/g, '<id>'],
  [/\b(\d+[dhms])+\b/g, '<duration>'],
  [/\b\d+(\.\d+)*/g, '<number>'],
  [/[ \t]+/g, ' '],
];

function lines(text: string): string[] {
  const plain = VARIABLE.reduce((shaped, [pattern, name]) => shaped.replace(pattern, name), text);
  return plain
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Whether `printed` has the lines of `shown`, in which `…` is any text, and on a line alone any lines. */
export function sameShape(shown: string, printed: string): boolean {
  const pattern = lines(shown).map((line) =>
    line === '…' ? '(?:.*\n)*?' : `${line.split('…').map(escaped).join('.*')}\n`,
  );
  return new RegExp(`^${pattern.join('')}$`).test(`${lines(printed).join('\n')}\n`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
