import { deeperPaths, quoted, valueCases } from './cases.js';
import type { Place, Value } from './place.js';

/** A script for zsh: to be sourced after compinit, or a file `_loden` on its fpath. */
export function zshCompletion(programs: readonly string[], places: readonly Place[]): string {
  const values = valueCases(places).map(
    ({ pattern, value }) => `    (${pattern}) ${answer(value)}; return ;;`,
  );
  const described = places.map(({ path, words, flags, takesFile }) => {
    const all = [
      ...words.map(({ word, help }) => quoted(`${word}:${help}`)),
      ...flags.map(({ name, help }) => quoted(`${name}:${help}`)),
    ];
    return `    (${quoted(path)})
      candidates=(
        ${all.join('\n        ')}
      )
      ${takesFile ? '_files\n      ' : ''};;`;
  });
  return `#compdef ${programs.join(' ')}
# Completion for ${programs.join(' and ')}, for zsh.
_loden() {
  local place=\${words[1]:t} previous=\${words[CURRENT-1]} word
  local -a candidates
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$place $word" in (${deeperPaths(places)}) place+=" $word" ;; esac
  done
  if [[ $PREFIX == --*=* ]]; then
    previous=\${PREFIX%%=*}
    compset -P '*='
  fi
  case "$place $previous" in
${values.join('\n')}
  esac
  case $place in
${described.join('\n')}
  esac
  _describe -t words "$place" candidates
}
if [[ $funcstack[1] == _loden ]]; then _loden "$@"; else compdef _loden ${programs.join(' ')}; fi
`;
}

function answer(value: Value): string {
  if (value === 'any') return ':';
  return value === 'file' ? '_files' : `compadd -- ${value.map(quoted).join(' ')}`;
}
