// What the page at the shelf keeps and writes, in one place:
// `const keep = await Keep.open(); keep.onchange(draw); keep.start();`

import { KeepError } from "./errors.js";
import { Hub } from "./line/hub.js";
import { askToKeep } from "./line/room.js";
import { registerShell, takeOver } from "./line/shell.js";
import { Tabs } from "./line/tabs.js";
import { clearedTrouble, faultHere, remember } from "./line/witness.js";
import { canBePhone, enrol, openSession } from "./phone.js";
import { NEVER, dayIn, siteTime, steadyClock } from "./pure/clock.js";
import { pack, unpackAll } from "./pure/list.js";
import { NOTHING_YET, standingOf } from "./pure/standing.js";
import { Recent } from "./recent.js";
import { stockOf } from "./stock.js";
import { Store, StorageFull } from "./store.js";
import { Sync } from "./sync.js";
import { bare, writeAll } from "./writing.js";

/** @typedef {import("./types.js").Entry} Entry */
/** @typedef {import("./types.js").Phone} Phone */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Kind} Kind */
/** @typedef {import("./types.js").Body} Body */
/** @typedef {import("./stock.js").Stock} Stock */
/** @typedef {import("./pure/list.js").List} List */
/** @typedef {{ read?: import("./stock.js").ReadCode, now?: () => number, name?: string }} Asked */

const TICK_MS = 20_000;

export class Keep {
  /** @type {Phone | null} null: not enrolled */ phone = null;
  /** @type {Stock | null} null: no list yet, or locked */ stock = null;
  /** Orders to pick, places to recount, goods to fetch back. @type {import("../types.js").FindList[]} */ finds = [];
  /** Entries that the hub has not acknowledged, or that its list does not contain yet. @type {Entry[]} */ entries = [];
  /** @type {State} */ state = NOTHING_YET;
  /** Where the hub's clock is. */ contact = NEVER;
  /** @type {List | null} */ list = null;
  /** Whether the hub was asked, since this page was opened, how far it has the log. */ compared = false;
  hub = new Hub();
  /** Settles once the log was looked through after `open`. @type {Promise<void>} */ checked = Promise.resolve();
  /** @type {Set<() => void>} */ #listeners = new Set();
  /** @type {ServiceWorkerRegistration | null} */ #shell = null;
  /** @type {Promise<unknown>} */ #turns = Promise.resolve();
  #recent = new Recent();
  #timer = 0;

  /**
   * Ready for use without the network. `read`: what a code says, otherwise codes/gs1.js; `now`: the phone's
   * clock in microseconds; `name` of the database.
   * @param {Asked} [asked]
   * @returns {Promise<Keep>}
   * @throws {KeepError} keep_cannot: no secure address, or a browser that keeps nothing
   */
  static async open(asked = {}) {
    if (!canBePhone()) throw new KeepError("keep_cannot");
    const keep = new Keep(await Store.open(asked.name), asked);
    await keep.load();
    keep.checked = keep.#check();
    return keep;
  }

  /** @param {Store} store @param {Asked} asked */
  constructor(store, { read, now, name = "tallyman-shelf" }) {
    this.store = store;
    this.read = read;
    this.clock = now ?? steadyClock(() => Date.now(), () => performance.now());
    this.tabs = new Tabs(name, (news) => void (news === "log" ? this.#inTurn(() => this.#goOn()) : this.load()));
    this.sync = new Sync(this);
    this.hub.renew = () => this.#letIn();
  }

  /** The site's time in microseconds since 1970. */
  now() {
    return siteTime(this.clock(), this.contact).at_us;
  }

  /** Talk with the hub from now on, by itself; hold the page for the next time without it. */
  start() {
    this.sync.start();
    this.#timer = window.setInterval(() => void this.tick(), TICK_MS);
    void askToKeep().then((durable) => this.tell({ durable }));
    void registerShell(() => this.tell({ update: true })).then((shell) => (this.#shell = shell));
  }

  stop() {
    this.sync.stop();
    window.clearInterval(this.#timer);
    this.tabs.close();
    this.store.close();
  }

  /** Let the newer page take over (`state.update`). */
  update() {
    if (this.#shell) takeOver(this.#shell);
  }

  /**
   * Called after each change of `phone`, `stock` or `state`, also by another tab.
   * @param {() => void} heard
   * @returns {() => void} ends it
   */
  onchange(heard) {
    this.#listeners.add(heard);
    return () => void this.#listeners.delete(heard);
  }

  /**
   * Write an entry. When this returns, it is on the disk and survives the browser's death: only then tell the person.
   * @param {Kind} kind
   * @param {Body} body as docs/guides/offline-logs.md says; integers, strings, lists, objects. `counted` without
   *   `expected`: what stands here as it is written
   * @param {{ token?: string, photos?: Blob[] }} [more] `token`: made when the person is asked, so that what was
   *   confirmed once is written once; `photos`: JPEG, their SHA-256s are put into `body.photos`
   * @returns {Promise<Entry>}
   * @throws {KeepError | import("./pure/canonical.js").BadValue}
   */
  async write(kind, body, more = {}) {
    const [entry] = await this.writeAll([{ kind, body, ...more }]);
    return /** @type {Entry} */ (entry);
  }

  /**
   * Several entries, all of them or none.
   * @param {import("./writing.js").Wish[]} wishes
   * @returns {Promise<Entry[]>}
   * @throws {KeepError | import("./pure/canonical.js").BadValue}
   */
  writeAll(wishes) {
    return this.#inTurn(() => this.#writeAll(wishes));
  }

  /** @param {import("./writing.js").Wish[]} wishes */
  async #writeAll(wishes) {
    if (!this.phone) throw new KeepError("keep_not_enrolled");
    if (this.contact.revoked) throw new KeepError("keep_revoked");
    if (this.state.tampered) throw new KeepError("keep_retired");
    if (this.state.locked) throw new KeepError("keep_locked");
    const { store, phone } = this, stock = (/** @type {number} */ head) => this.#caughtUp(head);
    const { written, fresh } = await writeAll({ store, phone, stock, at_us: this.now() }, wishes).catch((error) => {
      if (error instanceof KeepError && error.code === "keep_full") this.tell({ storage: "full" });
      throw error;
    });
    if (fresh.length === 0) return written;
    this.entries.push(...fresh);
    this.#recent.add(this.phone.device, fresh);
    for (const entry of fresh) this.stock?.apply(entry);
    this.#witness();
    this.tabs.tell("log");
    this.tell(await this.store.pictures.count());
    this.sync.soon();
    return written;
  }

  /**
   * What was written here last, newest first, and whether the hub has it.
   * @param {number} [most]
   * @returns {{ entry: Entry, sent: boolean }[]}
   */
  recent(most = 50) {
    return this.#recent.newest(most, this.contact.expected);
  }

  /**
   * Enrol this phone, and fetch the list. What an earlier name of it wrote is still sent.
   * @param {{ token?: string, name?: string, role?: string }} asked with an invitation's token, or as whoever is signed in
   * @returns {Promise<Phone>}
   * @throws {import("./line/hub.js").HubError}
   */
  async enrol(asked) {
    this.hub.device = "";
    if (!asked.token) this.hub.csrf = (await this.hub.get("/api/v1/shelf/me")).csrf;
    const phone = await enrol(this.hub, asked);
    await this.store.setPhone(phone);
    await this.store.setContact({ ...NEVER, latest_us: this.contact.latest_us });
    // Under another role the hub may take what it refused.
    await this.store.pictures.again();
    this.compared = false;
    await this.load();
    await this.sync.now();
    return this.phone ?? phone;
  }

  /** Pictures that the hub refused wait for it again. */
  async photosAgain() {
    await this.store.pictures.again();
    this.tell(await this.store.pictures.count());
    await this.sync.now();
  }

  /** A person gives up the pictures that the hub refused. */
  async dropPhotos() {
    await this.store.pictures.drop();
    this.tell(await this.store.pictures.count());
  }

  /** A person has read it. @param {string} id of a trouble */
  async settle(id) {
    await this.store.settleTrouble(id);
    this.tell({ troubles: await this.store.troubles() });
  }

  /** Read everything anew out of the store. */
  load() {
    return this.#inTurn(() => this.#load());
  }

  /**
   * One after the other, so that what is read is not older than what was written here.
   * @template T
   * @param {() => Promise<T>} act
   * @returns {Promise<T>}
   */
  #inTurn(act) {
    const done = this.#turns.then(act);
    this.#turns = done.catch(() => {});
    return done;
  }

  async #load() {
    const { store } = this;
    const phone = (await store.phone()) ?? null;
    const [contact, packed, troubles] = await Promise.all([store.contact(), store.list(), store.troubles()]);
    this.phone = phone;
    this.contact = contact ?? NEVER;
    this.list = phone ? await unpackAll(packed) : null;
    this.entries = phone ? (await store.entries(phone.device)).map(bare) : [];
    this.hub.device = phone?.device ?? "";
    this.#recent.add(this.hub.device, this.entries);
    this.finds = this.list?.finds ?? [];
    this.#stand();
    this.tell({ tampered: this.contact.retired, troubles: [...troubles, ...(phone ? [] : clearedTrouble(this.now()))], ...(await store.pictures.count()) });
  }

  /** What another tab wrote. */
  async #goOn() {
    if (!this.phone) return this.#load();
    // Without an entry here all that the store has is new: the hub may have what its list does not contain yet.
    const fresh = (await this.store.entries(this.phone.device, (this.entries.at(-1)?.seq ?? 0) + 1)).map(bare);
    this.entries.push(...fresh);
    for (const entry of fresh) this.stock?.apply(entry);
    this.#recent.add(this.phone.device, fresh);
    this.tell(await this.store.pictures.count());
  }

  /**
   * The stock with all that stands in the log: an entry that another tab wrote meanwhile comes before what is
   * written here, is not stepped over, and counts in what is expected.
   * @param {number} head the number of the log's last entry
   */
  async #caughtUp(head) {
    if (head > (this.entries.at(-1)?.seq ?? 0)) await this.#goOn();
    return this.stock;
  }

  /**
   * Keep a new list. Without room it serves until the page is closed.
   * @param {List} list
   * @param {List} [change] what came of it, where that was less than all
   */
  async take(list, change) {
    this.list = list;
    this.finds = list.finds;
    this.#stand();
    if (change?.snapshot.base && (await this.store.addChange(await pack(change)))) return;
    await this.store.setList(await pack(list)).catch((error) => {
      if (!(error instanceof StorageFull)) throw error;
      this.tell({ storage: "full" });
    });
  }

  /** @param {Partial<State>} [change] */
  tell(change = {}) {
    const standing = standingOf(this.clock(), this.contact, this.entries, this.list);
    this.state = { ...this.state, enrolled: this.phone !== null, ...standing, ...change };
    for (const heard of this.#listeners) heard();
  }

  /** The stock of today, unless this phone was offline for longer than it may. */
  #stand() {
    const at_us = this.now(), told = this.list?.snapshot;
    const locked = this.phone !== null && this.phone.until_us > 0 && at_us > this.phone.until_us;
    const today = told ? dayIn(told.zone, at_us) : "";
    this.stock = told && !locked && !this.contact.revoked ? stockOf(told, this.entries, today, this.read) : null;
    this.state = { ...this.state, locked, today };
  }

  /** Midnight, the end of the allowed time, and where the clock has been. */
  async tick() {
    const at_us = this.now(), { today, locked } = this.state;
    if (this.phone) this.contact = await this.store.changeContact({ latest_us: at_us });
    const told = this.list?.snapshot;
    if (told && (dayIn(told.zone, at_us) !== today || (!locked && at_us > (this.phone?.until_us || Infinity)))) this.#stand();
    this.tell();
  }

  async #letIn() {
    if (!this.phone) return false;
    await openSession(this.hub, this.phone);
    this.hub.csrf = (await this.hub.get("/api/v1/shelf/me")).csrf;
    return true;
  }

  #witness() {
    const last = this.entries.at(-1), sent = this.contact.expected - 1;
    if (this.phone) remember({ device: this.phone.device, seq: last?.seq ?? sent, sent });
  }

  /** Whether the log holds together, looked at beside the person's work. */
  async #check() {
    const fault = await faultHere(this.store, this.phone);
    if (fault) await this.trouble(fault.code, { seq: fault.seq }, { tampered: true });
    else this.#witness();
  }

  /**
   * Something that the person must know; kept until they settle it.
   * @param {string} code
   * @param {Record<string, string | number>} params
   * @param {Partial<State>} [change]
   */
  async trouble(code, params, change = {}) {
    const seq = Number(params["seq"] ?? 0);
    if (change.tampered) this.contact = await this.store.changeContact({ retired: true });
    await this.store.addTroubles([{ id: `${code}/${params["id"] ?? seq}`, at_us: this.now(), code, params, seq, seen: false }]);
    this.tell({ ...change, troubles: await this.store.troubles() });
  }
}
