/** How a program on labs that a person runs by hand (benchmarks, faults, chaos) reads its command line, and how it ends. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { LodenError } from '../errors.js';
import { sweep } from './sweep.js';

type Flags = NonNullable<ParseArgsConfig['options']>;

interface CommandLine<Known extends Flags> {
  readonly values: ReturnType<typeof parseArgs<{ options: Known }>>['values'];
  readonly words: readonly string[];
}

interface Program<Known extends Flags, Wish> {
  /** What `--help` prints. */
  readonly usage: string;
  readonly flags: Known;
  /** Whether it takes words that are no flags. */
  readonly takesWords: boolean;
  /** What the command line asks for. Throws UsageError when that cannot be. */
  readonly read: (line: CommandLine<Known>) => Wish;
  /** Cleans up and rejects when the signal is aborted, by SIGINT or SIGTERM. Its result is the exit code. */
  readonly run: (wish: Wish, signal: AbortSignal) => Promise<number>;
}

/** The command line is wrong; the message says how. */
export class UsageError extends Error {}

/** Runs it, as root alone, and returns the exit code: 1 after a failure or a signal, 2 when the command line is wrong. */
export async function runProgram<Known extends Flags, Wish>(program: Program<Known, Wish>): Promise<number> {
  const stop = new AbortController();
  // Not `once`: execa ends the process at a signal that, by then, nobody else listens for.
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
  try {
    const line = readCommandLine(program);
    if (line === undefined) {
      process.stdout.write(program.usage);
      return 0;
    }
    const wish = program.read(line);
    if (process.getuid?.() !== 0) throw new UsageError('hosts are network namespaces: run this as root');
    await sweep();
    return await program.run(wish, stop.signal);
  } catch (error) {
    // What an abort interrupts throws an error of its own that says only that it was aborted.
    const { message, stack } = (stop.signal.aborted ? stop.signal.reason : error) as Error;
    const isKnown = stop.signal.aborted || error instanceof LodenError || error instanceof UsageError;
    process.stderr.write(`${isKnown ? message : stack}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Undefined when help is asked for. */
function readCommandLine<Known extends Flags, Wish>({
  flags,
  takesWords,
  usage,
}: Program<Known, Wish>): CommandLine<Known> | undefined {
  const options = { ...flags, help: { type: 'boolean' } } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: takesWords });
    return 'help' in values
      ? undefined
      : { values: values as CommandLine<Known>['values'], words: positionals };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage.trimEnd()}`);
  }
}

/** Those that the words name; all when there are no words. */
export function named<Choice extends { readonly name: string }>(
  words: readonly string[],
  kind: string,
  choices: readonly Choice[],
): readonly Choice[] {
  const names = choices.map(({ name }) => name);
  const unknown = words.find((word) => !names.includes(word));
  if (unknown !== undefined)
    throw new UsageError(`there is no ${kind} ${unknown}; there is: ${names.join(', ')}`);
  return words.length === 0 ? choices : choices.filter(({ name }) => words.includes(name));
}
