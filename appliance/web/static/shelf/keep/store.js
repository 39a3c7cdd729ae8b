// What a phone keeps in IndexedDB: its key and name, its log with the head, pictures that wait, the hub's list.
// An entry and the head that it moves are one transaction, written through to the disk before anybody is told (I2).

import { openDB } from "/static/vendor/idb.js";

import { GENESIS } from "./log.js";
import { Pictures } from "./pictures.js";
import { NEVER } from "./pure/clock.js";

/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Head} Head */
/** @typedef {import("./types.js").Phone} Phone */
/** @typedef {import("./types.js").Trouble} Trouble */
/** @typedef {import("./pictures.js").Photo} Photo */
/** @typedef {Entry & { token?: string }} KeptEntry */
/** @typedef {import("./types.js").Contact} Contact */
/** @typedef {import("idb").IDBPDatabase<any>} Database */

const NAME = "tallyman-shelf";
const VERSION = 1;
const MOST_CHANGES = 20;
const LARGEST_CHANGE = 100_000;
/** @type {IDBTransactionOptions} */
const STRICT = { durability: "strict" };

/** Another tab wrote in between: read the head again. */
export class HeadMoved extends Error {}

/** The disk is full, also after all that can be fetched again was given up. */
export class StorageFull extends Error {}

/** @param {unknown} error */
const isQuota = (error) => error instanceof DOMException && error.name === "QuotaExceededError";

export class Store {
  /** @param {Database} database */
  constructor(database) {
    this.database = database;
    this.pictures = new Pictures(database);
  }

  /** @param {string} [name] */
  static async open(name = NAME) {
    const database = await openDB(name, VERSION, {
      upgrade(made) {
        made.createObjectStore("meta");
        const log = made.createObjectStore("log", { keyPath: ["device", "seq"] });
        // Sent again from the page, a thing that was confirmed once is written once.
        log.createIndex("token", "token", { unique: true });
        made.createObjectStore("photos", { keyPath: "sha256" });
        made.createObjectStore("list");
        made.createObjectStore("troubles", { keyPath: "id" });
      },
      // A page of a newer version waits for this one: let it.
      blocking: (_from, _to, event) => /** @type {IDBDatabase} */ (event.target).close(),
    });
    return new Store(database);
  }

  close() {
    this.database.close();
  }

  /** @returns {Promise<Phone | undefined>} */
  phone() {
    return this.database.get("meta", "phone");
  }

  /** A new identity: its log begins. The old one's entries stay until they are sent. @param {Phone} phone */
  async setPhone(phone) {
    const work = this.database.transaction("meta", "readwrite", STRICT);
    const kept = await work.store.get("phone");
    await work.store.put(phone, "phone");
    if (kept?.device !== phone.device) await work.store.put({ device: phone.device, seq: 0, hash: GENESIS }, "head");
    await work.done;
  }

  /**
   * Change some of what is kept of a phone, unless it was enrolled anew: its old name must not come back.
   * @param {string} device
   * @param {Partial<Phone>} change
   * @returns {Promise<Phone | null>} null: this phone has another name by now
   */
  async changePhone(device, change) {
    const work = this.database.transaction("meta", "readwrite", STRICT);
    /** @type {Phone | undefined} */
    const kept = await work.store.get("phone");
    const phone = kept?.device === device ? { ...kept, ...change } : null;
    if (phone) await work.store.put(phone, "phone");
    await work.done;
    return phone;
  }

  /** @returns {Promise<Head | undefined>} */
  head() {
    return this.database.get("meta", "head");
  }

  /** The log with its end and what the hub has of it, at one moment. */
  async whole() {
    const work = this.database.transaction(["meta", "log"]);
    const meta = work.objectStore("meta");
    /** @type {[Head | undefined, Contact | undefined]} */
    const [head, contact] = await Promise.all([meta.get("head"), meta.get("contact")]);
    const range = IDBKeyRange.bound([head?.device ?? "", 0], [head?.device ?? "", Infinity]);
    /** @type {KeptEntry[]} */
    const entries = await work.objectStore("log").getAll(range);
    return { head, expected: contact?.expected ?? 1, entries };
  }

  /** @returns {Promise<Contact | undefined>} */
  contact() {
    return this.database.get("meta", "contact");
  }

  /** @param {Contact} contact */
  async setContact(contact) {
    await this.database.put("meta", contact, "contact");
  }

  /**
   * Change some of it, over what another tab kept since: one that slept must not turn `expected` back.
   * @param {Partial<Contact>} change
   * @returns {Promise<Contact>} as it is kept now
   */
  async changeContact(change) {
    const work = this.database.transaction("meta", "readwrite");
    /** @type {Contact} */
    const contact = { ...NEVER, ...(await work.store.get("contact")), ...change };
    await work.store.put(contact, "contact");
    await work.done;
    return contact;
  }

  /**
   * Keep entries that follow `head`, and their pictures: all of it or nothing.
   * @param {Head} head on which the first was made
   * @param {KeptEntry[]} entries
   * @param {Photo[]} [photos]
   * @throws {HeadMoved | StorageFull}
   */
  async append(head, entries, photos = []) {
    try {
      await this.#append(head, entries, photos);
    } catch (error) {
      if (!isQuota(error)) throw error;
      await this.shrink();
      await this.#append(head, entries, photos).catch((again) => {
        throw isQuota(again) ? new StorageFull("The disk is full", { cause: again }) : again;
      });
    }
  }

  /** @param {Head} head @param {KeptEntry[]} entries @param {Photo[]} photos */
  async #append(head, entries, photos) {
    const work = this.database.transaction(["meta", "log", "photos"], "readwrite", STRICT);
    // Told through `done`; a request that fails aborts all of it.
    work.done.catch(() => {});
    const now = await work.objectStore("meta").get("head");
    if (!now || now.device !== head.device || now.seq !== head.seq || now.hash !== head.hash) {
      work.abort();
      throw new HeadMoved("Another tab wrote in between");
    }
    const last = /** @type {KeptEntry} */ (entries.at(-1));
    await Promise.all([
      ...photos.map((photo) => work.objectStore("photos").put(photo)),
      ...entries.map((entry) => work.objectStore("log").add(entry)),
      work.objectStore("meta").put({ device: last.device, seq: last.seq, hash: last.hash, carried: head.carried }, "head"),
      work.done,
    ]);
  }

  /**
   * The entry that was written under a token, if it is still kept.
   * @param {string} token
   * @returns {Promise<KeptEntry | undefined>}
   */
  byToken(token) {
    return this.database.getFromIndex("log", "token", token);
  }

  /**
   * Entries of a device by number, from `from`, at most `most`.
   * @param {string} device
   * @param {number} [from]
   * @param {number} [most]
   * @returns {Promise<KeptEntry[]>}
   */
  entries(device, from = 0, most) {
    return this.database.getAll("log", IDBKeyRange.bound([device, from], [device, Infinity]), most);
  }

  /** Whose entries are kept: this phone's, and those of names that it had before. @returns {Promise<string[]>} */
  async devices() {
    const names = [];
    let cursor = await this.database.transaction("log").store.openKeyCursor();
    while (cursor) {
      const [device] = /** @type {[string, number]} */ (cursor.key);
      names.push(device);
      cursor = await cursor.continue([device, []]);
    }
    return names;
  }

  /** Clear entries up to a number that the hub keeps and its list contains. @param {string} device @param {number} upTo */
  async clear(device, upTo) {
    await this.database.delete("log", IDBKeyRange.bound([device, 0], [device, upTo]));
  }

  /** The hub's list and its changes, packed (pure/list.js), in their order. @returns {Promise<ArrayBuffer[]>} */
  list() {
    return this.database.getAll("list");
  }

  /**
   * A list in place of the old one and its changes. It gives way to the log: where both have no room, the old goes first.
   * @param {ArrayBuffer} packed
   * @throws {StorageFull}
   */
  async setList(packed) {
    const put = async () => {
      const work = this.database.transaction("list", "readwrite");
      await Promise.all([work.store.clear(), work.store.put(packed, 0), work.done]);
    };
    await put().catch(async (error) => {
      if (!isQuota(error)) throw error;
      await this.shrink();
      await put().catch((again) => {
        throw isQuota(again) ? new StorageFull("There is no room for the list", { cause: again }) : again;
      });
    });
  }

  /**
   * A change of the list, where few came before it.
   * @param {ArrayBuffer} packed
   * @returns {Promise<boolean>} false: keep the list whole instead
   */
  async addChange(packed) {
    const work = this.database.transaction("list", "readwrite");
    const count = await work.store.count();
    const kept = count > 0 && count <= MOST_CHANGES && packed.byteLength < LARGEST_CHANGE;
    try {
      await Promise.all([kept && work.store.put(packed, count), work.done]);
    } catch (error) {
      // No room: `setList` gives up what is old.
      if (isQuota(error)) return false;
      throw error;
    }
    return kept;
  }

  /** Give up what can be fetched again, so that the log has room. */
  async shrink() {
    await this.database.clear("list");
  }

  /** @returns {Promise<Trouble[]>} */
  troubles() {
    return this.database.getAll("troubles");
  }

  /** @param {Trouble[]} troubles */
  async addTroubles(troubles) {
    const work = this.database.transaction("troubles", "readwrite");
    await Promise.all([...troubles.map((trouble) => work.store.put(trouble)), work.done]);
  }

  /** @param {string} id */
  async settleTrouble(id) {
    await this.database.delete("troubles", id);
  }

  /** The revoked phone's list goes at once, before its log is handed over. */
  async forgetList() {
    const work = this.database.transaction(["list", "troubles"], "readwrite", STRICT);
    await Promise.all([work.objectStore("list").clear(), work.objectStore("troubles").clear(), work.done]);
  }

  /** Everything goes: the key, the list, the log. */
  async wipe() {
    const names = [...this.database.objectStoreNames];
    const work = this.database.transaction(names, "readwrite", STRICT);
    await Promise.all([...names.map((name) => work.objectStore(name).clear()), work.done]);
  }
}
