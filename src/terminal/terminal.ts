/**
 * The terminal that a command talks to: results go to stdout, where a script reads them, remarks and questions to
 * stderr. Colour only where stdout is a terminal and NO_COLOR (no-color.org) is not set.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

export type Colour = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

export interface Terminal {
  /** Stdout is a screen: it may be painted, and drawn again. */
  readonly screen: boolean;
  /** Somebody is there to answer. */
  readonly interactive: boolean;
  /** Lines of a result. A line break is added. */
  print(text: string): void;
  /** A line about what is being done. */
  remark(text: string): void;
  /** Empties the screen; nothing where there is none. */
  clear(): void;
  paint(text: string, colour: Colour): string;
  /** Whether a person said yes. Rejects with the signal's reason. */
  confirm(question: string, signal: AbortSignal): Promise<boolean>;
}

interface Streams {
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable & { isTTY?: boolean };
  readonly stderr: Writable & { isTTY?: boolean };
}

export function terminal(
  { stdin, stdout, stderr }: Streams,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const screen = stdout.isTTY === true;
  const coloured = screen && !environment.NO_COLOR && environment.TERM !== 'dumb';
  return {
    screen,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    print: (text) => stdout.write(`${text}\n`),
    remark: (text) => stderr.write(`${text}\n`),
    clear: () => {
      // Cursor to the corner, then erase what is below it.
      if (screen) stdout.write('\u001b[H\u001b[J');
    },
    paint: (text, colour) => (coloured ? styleText(colour, text, { validateStream: false }) : text),
    confirm: async (question, signal) => {
      // Without an editor of its own, so that Ctrl-C stays the signal that the caller knows.
      const lines = createInterface({ input: stdin, output: stderr, terminal: false });
      const ended = once(lines, 'close').then(() => '');
      try {
        const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), ended]);
        return /^(y|yes)$/i.test(answer.trim());
      } finally {
        lines.close();
      }
    },
  };
}
