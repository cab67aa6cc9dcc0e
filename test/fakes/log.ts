import { type Logger, pino } from 'pino';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A log that keeps its lines, from `info` up. */
export function recordingLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const options = { base: null, timestamp: false, formatters: { level: (level: string) => ({ level }) } };
  const log = pino(options, { write: (line) => lines.push(JSON.parse(line)) });
  return { log, lines };
}
