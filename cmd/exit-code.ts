import { LodenError } from '../src/errors.js';

/** 1: failure; 2: bad flag or config; 3: the subnet went to another host. */
export function exitCodeOf(error: unknown): 1 | 2 | 3 {
  if (!(error instanceof LodenError)) return 1;
  switch (error.code) {
    case 'bad-config':
    case 'bad-option':
      return 2;
    case 'subnet-lost':
      return 3;
    default:
      return 1;
  }
}
