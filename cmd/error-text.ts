import { ConfigError, type LodenError } from '../src/errors.js';

/** For people: the message, after where the config that it is about is from. */
export function errorText(error: LodenError): string {
  return error instanceof ConfigError && error.source ? `${error.source}: ${error.message}` : error.message;
}
