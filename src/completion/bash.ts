import { deeperPaths, quoted, valueCases } from './cases.js';
import type { Place, Value } from './place.js';

/** A script for bash 4 and later. bash splits words at `=`, so `--flag=value` comes as three. */
export function bashCompletion(programs: readonly string[], places: readonly Place[]): string {
  const values = valueCases(places).map(
    ({ pattern, value }) => `    ${pattern})\n      ${answer(value)}\n      return ;;`,
  );
  const words = places.map(({ path, words, flags, takesFile }) => {
    const all = [...words.map(({ word }) => word), ...flags.map(({ name }) => name)].join(' ');
    const files = takesFile ? ' _loden_files;' : '';
    return `    ${quoted(path)}) _loden_words ${quoted(all)};${files} ;;`;
  });
  return `# Completion for ${programs.join(' and ')}, for bash: source it, or put it where bash-completion looks.
_loden_words() { COMPREPLY+=($(compgen -W "$1" -- "$current")); }
_loden_files() { compopt -o filenames; mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current"); }
_loden() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local place=\${COMP_WORDS[0]##*/} word
  [[ $current != = ]] || current=
  [[ $previous != = ]] || previous=\${COMP_WORDS[COMP_CWORD - 2]}
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$place $word" in ${deeperPaths(places)}) place+=" $word" ;; esac
  done
  case "$place $previous" in
${values.join('\n')}
  esac
  case $place in
${words.join('\n')}
  esac
}
complete -F _loden ${programs.join(' ')}
`;
}

function answer(value: Value): string {
  if (value === 'any') return ':';
  return value === 'file' ? '_loden_files' : `_loden_words ${quoted(value.join(' '))}`;
}
