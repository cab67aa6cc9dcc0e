import type { Connection } from './connection.js';
import { type LinkMessage, RTM_GETLINK, RTM_NEWLINK, readLink, writeGetLink } from './link.js';

/** The links of this host by index: the names that other messages lack, and whether each is up. */
export class LinkTable {
  readonly #byIndex = new Map<number, LinkMessage>();

  static async read(connection: Connection): Promise<LinkTable> {
    const table = new LinkTable();
    await connection.dump(
      RTM_GETLINK,
      (writer, header) => writeGetLink(writer, header),
      ({ type, buffer, start, end }) => {
        if (type === RTM_NEWLINK) table.set(readLink(buffer, start, end));
      },
    );
    return table;
  }

  set(link: LinkMessage): void {
    this.#byIndex.set(link.index, link);
  }

  delete(index: number): void {
    this.#byIndex.delete(index);
  }

  get(index: number): LinkMessage | undefined {
    return this.#byIndex.get(index);
  }

  values(): IterableIterator<LinkMessage> {
    return this.#byIndex.values();
  }

  readonly nameOf = (index: number): string | undefined => this.#byIndex.get(index)?.name;
}
