import type { DestinationStream, Logger } from 'pino';
import { commonJs } from '../../common-js.js';
import type { LogLevel } from '../../config/options/daemon.js';
import { printable } from '../../printable.js';

const { pino } = commonJs('pino') as typeof import('pino');

interface LogOptions {
  readonly format: 'text' | 'json';
  readonly level: LogLevel;
  /** For text: whether to colour the level. */
  readonly colour: boolean;
}

/**
 * The daemon's log. As text, a line reads
 *
 *     2026-03-01T09:15:02.123Z warn  lease refused subnet=10.5.2.0-24 reason="its VtepMAC … is zero or multicast"
 *
 * with a constant message first and what varies after it as `name=value`; as JSON it is pino's own form.
 */
export function createLog({ format, level, colour }: LogOptions, write: (line: string) => void): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const stream: DestinationStream = {
    write: format === 'json' ? write : (line) => write(asText(line, colour)),
  };
  return pino({ ...options, formatters: { level: (label) => ({ level: label }) } }, stream);
}

const COLOURS: Record<string, number> = { error: 31, fatal: 31, warn: 33, info: 36, debug: 90, trace: 90 };

function asText(line: string, colour: boolean): string {
  const { level, time, msg, component, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const padded = String(level).padEnd(5);
  const shown = colour ? `\u001b[${COLOURS[String(level)] ?? 0}m${padded}\u001b[0m` : padded;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${inLine(value)}`);
  return `${time} ${shown} ${component ? `${component}: ` : ''}${printable(`${msg}${rest.join('')}`)}\n`;
}

/** Bare where that is unambiguous, else as JSON, which also keeps line breaks out of the log. */
function inLine(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
