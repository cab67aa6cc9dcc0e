/**
 * What an option is. A table of these is all there is to say of a program's options: flags, environment, help and
 * the type of the result come from it.
 */
import type { Kind } from './kinds.js';

export interface OptionSpec {
  readonly flag: string;
  readonly kind: Kind<unknown>;
  /** The value when it is given nowhere. */
  readonly initial?: unknown;
  /** A heading in the help. */
  readonly group: string;
  /** One line. Empty for an option that the help does not list on a line of its own. */
  readonly help: string;
  /** flannel's own flags also answer to `FLANNELD_…`. */
  readonly flannel?: boolean;
  /** May be given several times on the command line; the value is an array. */
  readonly repeatable?: boolean;
  /** Not from the environment: images are known to set `FLANNELD_VERSION` to a version. */
  readonly commandLineOnly?: boolean;
  /** The value is shown nowhere. */
  readonly secret?: boolean;
  /** Accepted without effect, for the sake of flannel's users; the warning says why. */
  readonly ignored?: string;
  /** Values that cannot be had: the error says why. */
  readonly refuse?: (value: unknown) => string | undefined;
}

/** Options by the name of their value in the result. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** What a table's options are once read: all but the ignored ones. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table as Table[Name] extends { ignored: string } ? never : Name]: ValueOf<
    Table[Name]
  >;
};

type ValueOf<Spec extends OptionSpec> =
  Spec['kind'] extends Kind<infer Value>
    ? Spec extends { repeatable: true }
      ? readonly Value[]
      : Spec extends { initial: infer Initial }
        ? Value | (Initial extends Value ? never : Initial)
        : Value | undefined
    : never;

/** `LODEND_ETCD_PREFIX`, then, for a flag of flannel's, `FLANNELD_ETCD_PREFIX`: the first that is set counts. */
export function variablesOf(spec: OptionSpec): readonly string[] {
  if (spec.commandLineOnly) return [];
  const name = spec.flag.toUpperCase().replaceAll(/[-.]/g, '_');
  return spec.flannel ? [`LODEND_${name}`, `FLANNELD_${name}`] : [`LODEND_${name}`];
}
