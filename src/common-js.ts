import { createRequire } from 'node:module';

/**
 * Loads a CommonJS package, for those that a daemon needs at its start. An `import` of such a package has Node read it
 * once more beforehand, in search of the names that it exports: for ours that takes as long as Node itself to start.
 */
export const commonJs = createRequire(import.meta.url);
