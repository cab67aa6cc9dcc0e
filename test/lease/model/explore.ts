/**
 * Visits every state that a model can reach, nearest first, so that the first broken one is reached by the fewest
 * steps there are; the steps to it are the story. Two states are one when their keys are equal: a model leaves out of
 * the key what makes no difference (which of two like hosts is which, how large a number is that is only compared).
 */

export interface Model<State> {
  readonly start: State;
  /** All that can happen next, with what a reader is told of it. */
  steps(state: State): Iterable<Step<State>>;
  keyOf(state: State): string;
  /** What is wrong with this state, in words. */
  broken(state: State): string | undefined;
}

export interface Step<State> {
  readonly text: string;
  readonly next: State;
}

export interface Exploration {
  readonly states: number;
  /** The steps to a broken state and, last, what is wrong with it; undefined when none can be reached. */
  readonly story: readonly string[] | undefined;
}

interface Visited<State> {
  readonly state: State;
  readonly before: Visited<State> | undefined;
  readonly text: string;
}

/** Throws when there are more than `most` states: the model is not as small as was thought. */
export function explore<State>(model: Model<State>, most: number): Exploration {
  const known = new Set<string>();
  let front: Visited<State>[] = [];
  const reach = (to: Visited<State>, into: Visited<State>[]): string | undefined => {
    const key = model.keyOf(to.state);
    if (known.has(key)) return undefined;
    known.add(key);
    if (known.size > most) throw new Error(`more than ${most} states`);
    into.push(to);
    return model.broken(to.state);
  };
  const first = { state: model.start, before: undefined, text: '' };
  let wrong = reach(first, front);
  if (wrong !== undefined) return { states: 1, story: [wrong] };
  while (front.length > 0) {
    const next: Visited<State>[] = [];
    for (const before of front)
      for (const { text, next: state } of model.steps(before.state)) {
        const visited = { state, before, text };
        wrong = reach(visited, next);
        if (wrong !== undefined) return { states: known.size, story: [...storyOf(visited), wrong] };
      }
    front = next;
  }
  return { states: known.size, story: undefined };
}

function storyOf<State>(end: Visited<State>): string[] {
  const texts: string[] = [];
  for (let at: Visited<State> | undefined = end; at?.before; at = at.before) texts.unshift(at.text);
  return texts;
}
