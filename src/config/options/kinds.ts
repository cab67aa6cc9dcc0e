/** The kinds of value that an option may have: how its text is read, and what people are told is accepted. */

import { isIP } from 'node:net';
import { parseIpv4 } from '../../net/ipv4.js';

export interface Kind<Value> {
  /** Stands for the value in the help; empty for a boolean, which needs none. */
  readonly placeholder: string;
  /** Completes "accepted is …". */
  readonly accepts: string;
  /** All that is acceptable, where that is a few words. */
  readonly choices?: readonly string[];
  /** An empty text is as good as none: what a unit file's `--public-ip=${PUBLIC_IP}` becomes. */
  readonly emptyIsUnset?: true;
  /** The value, or undefined when the text is not acceptable. */
  parse(text: string): Value | undefined;
}

/** Go's own words for booleans (strconv.ParseBool). */
export const bool: Kind<boolean> = {
  placeholder: '',
  accepts: 'true or false',
  parse: (text) => {
    if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
    return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined;
  },
};

export function text(placeholder: string): Kind<string> {
  return { placeholder, accepts: 'any text', emptyIsUnset: true, parse: (given) => given };
}

export function oneOf<const Word extends string>(placeholder: string, ...words: readonly Word[]): Kind<Word> {
  const accepts = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return { placeholder, accepts, choices: words, parse: (given) => words.find((word) => word === given) };
}

export function wholeNumber(placeholder: string, min: number, max: number): Kind<number> {
  return {
    placeholder,
    accepts: `a whole number from ${min} to ${max}`,
    parse: (given) => {
      const value = /^\d{1,15}$/.test(given) ? Number(given) : -1;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

const secondsPerUnit: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3 };

/** Whole seconds: a plain number of them, or a duration as Go writes it, `1h30m`; a fraction is rounded up. */
export function seconds(min: number, max: number): Kind<number> {
  return {
    placeholder: 'duration',
    accepts: `a duration from ${min}s to ${max}s such as 90s, 15m or 24h; a plain number is seconds`,
    parse: (given) => {
      const terms = [...given.matchAll(/(\d+(?:\.\d+)?)(ms|[hms])/g)];
      const isDuration = terms.length > 0 && terms.map(([term]) => term).join('') === given;
      if (!isDuration && !/^\d{1,15}$/.test(given)) return undefined;
      const exact = isDuration
        ? terms.reduce((sum, [, amount, unit]) => sum + Number(amount) * secondsPerUnit[unit!]!, 0)
        : Number(given);
      const value = Math.ceil(exact);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

export const ipv4Address: Kind<string> = {
  placeholder: 'ip',
  accepts: 'an IPv4 address such as 192.0.2.1',
  emptyIsUnset: true,
  parse: (given) => (parseIpv4(given) === undefined ? undefined : given),
};

/** An address to listen on. */
export const listenAddress: Kind<string> = {
  placeholder: 'ip',
  accepts: 'an address such as 0.0.0.0, 127.0.0.1 or ::',
  emptyIsUnset: true,
  parse: (given) => (isIP(given) ? given : undefined),
};

/** Go's syntax and JavaScript's agree on what is used here, but for flags in front: `(?i)`. */
export const regularExpression: Kind<RegExp> = {
  placeholder: 'regex',
  accepts: 'a regular expression such as ^eth[0-9]+$',
  emptyIsUnset: true,
  parse: (given) => {
    const [, flags = '', pattern = ''] = /^(?:\(\?([is]+)\))?(.*)$/s.exec(given)!;
    try {
      return new RegExp(pattern, [...new Set(flags)].join(''));
    } catch {
      return undefined;
    }
  },
};
