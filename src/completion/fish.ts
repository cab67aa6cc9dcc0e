import type { Flag, Place } from './place.js';

/** A script for fish 3 and later: to be sourced, or a file in its completions folder. */
export function fishCompletion(programs: readonly string[], places: readonly Place[]): string {
  const deeper = places.map(({ path }) => path).filter((path) => path.includes(' '));
  return `# Completion for ${programs.join(' and ')}, for fish.
function __loden_at
    set -l words (commandline -opc)
    set -l place (string replace -r '.*/' '' -- $words[1])
    for word in $words[2..-1]
        if contains -- "$place $word" ${deeper.map(quoted).join(' ') || "''"}
            set place "$place $word"
        end
    end
    test "$place" = "$argv"
end
${places.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, words, flags, takesFile }: Place): string[] {
  const program = path.split(' ')[0]!;
  const start = `complete -c ${program} -n ${quoted(`__loden_at ${path}`)}`;
  return [
    ...(takesFile ? [] : [`${start} -f`]),
    ...words.map(({ word, help }) => `${start} -a ${quoted(word)} -d ${quoted(help)}`),
    ...flags.map((flag) => `${start} -l ${flag.name.slice(2)}${valuePart(flag)} -d ${quoted(flag.help)}`),
  ];
}

function valuePart({ value }: Flag): string {
  if (value === undefined) return '';
  if (value === 'file') return ' -r -F';
  return value === 'any' ? ' -x' : ` -x -a ${quoted(value.join(' '))}`;
}

/** In single quotes fish knows two escapes. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
