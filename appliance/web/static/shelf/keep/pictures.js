// Pictures on their way to the hub, by their SHA-256. Store.append keeps them together with the entry that names them.

/** @typedef {{ sha256: string, bytes: ArrayBuffer }} Photo */

/** Of `meta`: the names of those that the hub refused. */
const REFUSED = "refused";

export class Pictures {
  /** @param {import("./store.js").Database} database */
  constructor(database) {
    this.database = database;
  }

  /** Those that wait for the hub. @returns {Promise<string[]>} */
  async waiting() {
    const [all, refused] = await Promise.all([this.database.getAllKeys("photos"), this.refused()]);
    return all.map(String).filter((sha256) => !refused.includes(sha256));
  }

  /** Those that it did not take: kept aside until somebody wants them sent again. @returns {Promise<string[]>} */
  async refused() {
    return (await this.database.get("meta", REFUSED)) ?? [];
  }

  /** @param {string} sha256 @returns {Promise<Photo | undefined>} */
  one(sha256) {
    return this.database.get("photos", sha256);
  }

  /** The hub has it. @param {string} sha256 */
  async sent(sha256) {
    await this.database.delete("photos", sha256);
  }

  /** The hub does not take it. @param {string} sha256 */
  async refuse(sha256) {
    const work = this.database.transaction("meta", "readwrite");
    const refused = new Set((await work.store.get(REFUSED)) ?? []);
    await work.store.put([...refused.add(sha256)], REFUSED);
    await work.done;
  }

  /** Those that were refused wait again: roles, limits or the hub may be others by now. */
  async again() {
    await this.database.delete("meta", REFUSED);
  }

  /** Those that were refused go for good: a person said so. */
  async drop() {
    const work = this.database.transaction(["meta", "photos"], "readwrite");
    const meta = work.objectStore("meta"), photos = work.objectStore("photos");
    for (const sha256 of (await meta.get(REFUSED)) ?? []) await photos.delete(sha256);
    await meta.delete(REFUSED);
    await work.done;
  }

  /** How many there are, as the page's state tells it. */
  async count() {
    const [photos, refused] = await Promise.all([this.waiting(), this.refused()]);
    return { photos: photos.length, refused: refused.length };
  }
}
