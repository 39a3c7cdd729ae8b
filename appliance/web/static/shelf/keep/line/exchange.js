// One contact with the hub, in this order: may this phone go on; what was written; the list; what became of it.
// An entry is cleared only when the hub keeps it and the list contains it, so nothing shows twice or not at all.

import { bare } from "../writing.js";
import { proofOf } from "../phone.js";
import { NEVER } from "../pure/clock.js";
import { renewed } from "../pure/list.js";
import { firstPart } from "../pure/parts.js";
import { HubError, LONG_MS } from "./hub.js";
import { room } from "./room.js";
import { remember } from "./witness.js";

/** @typedef {import("../keep.js").Keep} Keep */
/** @typedef {{ device: string, seq: number, hash: string, code: string, message: string, mend: string }} Refusal */
/** @typedef {{ device: string, state: string, expected: number, waiting: number, suspect_from: number | null, why: string }} Standing */

const BATCH = 500;

/** @param {Keep} keep @throws {HubError} */
export async function contact(keep) {
  if (!keep.phone) return;
  const before = keep.list;
  try {
    await hear(keep);
    await sendPhotos(keep);
    const sent = await flush(keep);
    await fetchList(keep);
    await clear(keep);
    if (sent || keep.state.troubles.some((trouble) => trouble.code.startsWith("own_conflict_"))) await explain(keep);
    keep.tell({ storage: await room() });
    if (keep.list !== before) keep.tabs.tell("all");
  } catch (error) {
    if (error instanceof HubError && error.code === "phone_revoked") return revoked(keep);
    throw error;
  }
}

/** Who asks, where the hub's clock is, and until when the phone may go on. @param {Keep} keep */
async function hear(keep) {
  const phone = /** @type {import("../types.js").Phone} */ (keep.phone);
  let before = keep.clock();
  let me = await keep.hub.get("/api/v1/shelf/me");
  // A person who came to enrol a phone anew stays signed in.
  if (me.phone !== phone.device && !keep.contact.retired && (await keep.hub.renew())) {
    before = keep.clock();
    me = await keep.hub.get("/api/v1/shelf/me");
  }
  if (me.wipe) throw new HubError(410, "phone_revoked", "This phone was revoked");
  keep.hub.csrf = me.csrf;
  // The hub may have said it when it was asked, and the phone may have slept over the answer: rather too late than too early.
  const skew_us = me.now_us - before;
  keep.contact = await keep.store.changeContact({ heard_us: me.now_us, skew_us, latest_us: me.now_us, revoked: false });
  const kept = await keep.store.changePhone(phone.device, { until_us: me.offline_until_us || phone.until_us, roles: [...me.roles] });
  // Enrolled anew while the hub was asked: the new name asks for itself.
  if (!kept || keep.phone?.device !== phone.device) throw new HubError(0, "offline", "This phone was enrolled anew");
  keep.phone = kept;
  if (keep.state.locked) await keep.load();
}

/** Pictures go before the entries that name them, and never stand in their way. @param {Keep} keep */
async function sendPhotos(keep) {
  const names = await keep.store.pictures.waiting();
  for (const [number, sha256] of names.entries()) {
    const photo = await keep.store.pictures.one(sha256);
    if (!photo) continue;
    try {
      await keep.hub.ask(`/api/v1/shelf/photos/${sha256}`, { method: "PUT", body: photo.bytes, headers: { "Content-Type": "image/jpeg" } });
      await keep.store.pictures.sent(sha256);
    } catch (error) {
      // A hub without room for pictures may have room for what was written; they wait.
      if (error instanceof HubError && error.status >= 500) break;
      if (!isRefused(error)) throw error;
      await keep.store.pictures.refuse(sha256);
      await keep.trouble("photo_refused", { id: sha256.slice(0, 12), why: error.message }, await keep.store.pictures.count());
    }
    keep.tell({ line: "sending", photos: names.length - number - 1 });
  }
}

/** Asked for again, the hub would say the same. @param {unknown} error @returns {error is HubError} */
export function isRefused(error) {
  if (!(error instanceof HubError) || error.code === "phone_revoked") return false;
  return error.status >= 400 && error.status < 500 && ![401, 408, 425, 429].includes(error.status);
}

/** @param {Keep} keep @returns {Promise<boolean>} whether anything was sent */
async function flush(keep) {
  let sent = false;
  if (!keep.compared) await compare(keep);
  for (const device of await keep.store.devices()) {
    let from = device === keep.phone?.device ? keep.contact.expected : 0;
    for (;;) {
      const entries = firstPart((await keep.store.entries(device, from, BATCH)).map(bare));
      const last = entries.at(-1);
      if (!last) break;
      keep.tell({ line: "sending" });
      const told = await keep.hub.post("/api/v1/offline/logs", { entries }, LONG_MS);
      sent = true;
      await heardOf(keep, device, told);
      from = last.seq + 1;
    }
  }
  return sent;
}

/** Once after each start: has the hub the log that this phone has? @param {Keep} keep */
async function compare(keep) {
  const device = keep.phone?.device ?? "";
  await heardOf(keep, device, { refused: [], logs: [await keep.hub.get(`/api/v1/offline/logs/${device}`)] });
  keep.compared = true;
}

/** @param {Keep} keep @param {string} device @param {{ refused: Refusal[], logs: Standing[] }} told */
async function heardOf(keep, device, told) {
  const standing = told.logs.find((each) => each.device === device);
  const own = device === keep.phone?.device;
  for (const each of told.refused) {
    const params = { id: each.hash.slice(0, 12), seq: each.seq, why: each.message, refused: each.code };
    await keep.trouble("log_refused", params, own ? { tampered: true } : {});
  }
  if (!standing) return;
  if (standing.state === "quarantined") {
    const copied = own && standing.why === "two_histories";
    await keep.trouble("log_quarantined", { id: device, why: standing.why }, copied ? { tampered: true } : {});
  }
  if (!own) {
    await keep.store.clear(device, standing.expected - 1);
    return;
  }
  const head = await keep.store.head();
  // The hub has more of this log than the phone: the store was put back from a copy, or another has its key.
  if (head && standing.expected > head.seq + 1) await keep.trouble("log_copied", { seq: head.seq + 1 }, { tampered: true });
  keep.contact = await keep.store.changeContact({ expected: Math.min(standing.expected, (head?.seq ?? 0) + 1) });
  keep.tell();
}

/** All of the list, what changed in it, or nothing where it is the same. @param {Keep} keep */
async function fetchList(keep) {
  const kept = keep.list;
  const finds = await keep.hub.get("/api/v1/shelf/find").catch((error) => {
    if (error instanceof HubError && error.status === 403) return [];
    throw error;
  });
  const since = kept ? `?since=${kept.snapshot.version}` : "";
  /** @type {Record<string, string>} */
  const headers = kept?.etag ? { "If-None-Match": kept.etag } : {};
  const answer = await keep.hub.ask(`/api/v1/shelf/snapshot${since}`, { headers });
  if (answer.status === 304 && kept) {
    keep.contact = await keep.store.changeContact({ fresh_us: keep.now(), fresh_etag: kept.etag });
    if (JSON.stringify(finds) !== JSON.stringify(kept.finds)) await keep.take({ ...kept, finds });
    return;
  }
  let etag = answer.headers.get("ETag") ?? "";
  /** @type {import("../../types.js").Snapshot} */
  let change = await answer.json();
  let snapshot = renewed(kept?.snapshot ?? null, change);
  if (!snapshot) {
    const whole = await keep.hub.ask("/api/v1/shelf/snapshot");
    etag = whole.headers.get("ETag") ?? "";
    change = await whole.json();
    snapshot = change;
  }
  await keep.take({ snapshot, etag, finds }, { snapshot: change, etag, finds });
}

/** @param {Keep} keep */
async function clear(keep) {
  const { phone, list, contact } = keep;
  if (!phone || !list) return;
  const upTo = Math.min(contact.expected - 1, list.snapshot.seen[phone.device] ?? 0);
  await keep.store.clear(phone.device, upTo);
  keep.entries = keep.entries.filter((entry) => entry.seq > upTo);
  remember({ device: phone.device, seq: (await keep.store.head())?.seq ?? 0, sent: contact.expected - 1 });
}

/** Conflicts that this phone's entries are a side of, in words; those that were settled go. @param {Keep} keep */
async function explain(keep) {
  /** @type {any[]} */
  const open = await keep.hub.get("/api/v1/offline/conflicts");
  const own = open.filter((each) => each.device === keep.phone?.device || each.sides.some((/** @type {any} */ side) => side.device === keep.phone?.device));
  const names = new Set(own.map((each) => `own_conflict_${each.kind}/${each.conflict_id}`));
  for (const trouble of keep.state.troubles) {
    if (trouble.code.startsWith("own_conflict_") && !names.has(trouble.id)) await keep.store.settleTrouble(trouble.id);
  }
  const known = new Set(keep.state.troubles.map((trouble) => trouble.id));
  for (const each of own.filter((conflict) => !known.has(`own_conflict_${conflict.kind}/${conflict.conflict_id}`))) {
    const others = each.sides.filter((/** @type {any} */ side) => side.device !== keep.phone?.device);
    await keep.trouble(`own_conflict_${each.kind}`, {
      id: each.conflict_id, ticket: each.ticket_id, location: each.location, gtin: each.batch?.gtin ?? "", lot: each.batch?.lot ?? "",
      quantity: each.quantity, who: others.map((/** @type {any} */ side) => side.by || side.reference).join(", "),
    });
  }
  keep.tell({ troubles: await keep.store.troubles() });
}

/**
 * The hub has revoked this phone. What it carried goes at once; what it wrote is handed over, since nothing that a
 * person saw is refused; then its key goes too. Cut short, it goes on here at the next contact.
 * @param {Keep} keep
 */
async function revoked(keep) {
  const { store, hub } = keep, phone = /** @type {import("../types.js").Phone} */ (keep.phone);
  await store.forgetList();
  await store.changeContact({ revoked: true });
  await keep.load();
  try {
    await handOver(keep, phone.device);
  } catch (error) {
    // Refused for good: the wipe does not wait for what will never be taken.
    if (!isRefused(error)) throw error;
  }
  const proof = await proofOf(hub, phone);
  await store.wipe();
  remember(null);
  keep.contact = NEVER;
  await keep.load();
  await hub.post(`/api/v1/shelf/phones/${phone.device}/wiped`, proof);
  await keep.trouble("keep_wiped", {});
}

/** The last words of a revoked phone, in parts. @param {Keep} keep @param {string} phone */
async function handOver({ store, hub }, phone) {
  for (const device of await store.devices()) {
    for (;;) {
      const entries = firstPart((await store.entries(device, 0, BATCH)).map(bare));
      const last = entries.at(-1);
      if (!last) break;
      await hub.post(`/api/v1/shelf/phones/${phone}/last-words`, { entries }, LONG_MS);
      await store.clear(device, last.seq);
    }
  }
}
