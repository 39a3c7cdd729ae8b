import assert from "node:assert/strict";
import { test } from "node:test";

import { Helper } from "../../../../appliance/web/static/shelf/help/damaged.js";
import { Line, LineError } from "../../../../appliance/web/static/shelf/help/line.js";
import { answerOf, flat, questionMessage } from "../../../../appliance/web/static/shelf/help/messages.js";

const QUAD = [{ x: 110, y: 60 }, { x: 210, y: 60 }, { x: 210, y: 100 }, { x: 110, y: 100 }];
const RICE = "6901234567892";
const sighting = (id, state = "unread") => ({ id, state, text: "", format: "", known: null, quad: QUAD, age_ms: 0, reader: "phone" });
const sure = { state: "confirmed", text: RICE, format: "EAN13", gtin: `0${RICE}`, product: `0${RICE}`, units: 1, lot: "", expiry: "", how: "list", confidence: 0.9995, quad: flat(QUAD) };
const maybe = { gtin: `0${RICE}`, text: RICE, share: 0.8 };
const empty = { id: 1, codes: [], unread: [], candidates: [], elapsed_ms: 1 };

/** An eye over one unread code, and a helper whose line gives these answers in turn. */
function shelf(answers, sightings = [sighting(7)]) {
  const told = [];
  const shown = [];
  const asked = [];
  let still = () => {};
  const eye = {
    sightings,
    onstill: (call) => { still = call; return () => { still = () => {}; }; },
    still: async () => ({ jpeg: new Blob(["jpeg"]), left: 100, top: 50, width: 200, height: 100 }),
    ask: () => true,
    follower: { state: { regions: [] } },
    /** As the follower: nothing is taken where something else stands by now. */
    answer: (id, decoded) => {
      if (eye.moved) return;
      shown.push({ id, ...decoded });
      eye.follower.state.regions = [{ id, text: decoded.text, reader: "appliance" }];
    },
  };
  const line = {
    ask: async (question) => {
      asked.push(question);
      const next = answers.shift();
      if (next instanceof Error) throw next;
      return next;
    },
    close: () => {},
  };
  const helper = new Helper({ eye, place: () => "A-01", tell: (help) => told.push(help), line });
  return { told, shown, asked, eye, helper, hold: (unread = eye.sightings) => helper.help(unread), still: () => still };
}

test("a code that the appliance is sure of stands on the page as its reading", async () => {
  const { told, shown, asked, hold } = shelf([{ ...empty, codes: [sure] }]);
  await hold();
  assert.deepEqual(told.map(({ state }) => state), ["asking", "answered"]);
  assert.deepEqual(shown, [{ id: 7, text: RICE, format: "EAN13", quad: QUAD }]);
  assert.deepEqual(asked, [{ kind: "crop", place: "A-01", quad: [10, 10, 110, 10, 110, 50, 10, 50] }]);
});

test("what is not sure is offered to be tapped, and shown only then", async () => {
  const { told, shown, helper, hold } = shelf([{ ...empty, candidates: [maybe] }]);
  await hold();
  assert.deepEqual(told.at(-1), { id: 7, state: "candidates", candidates: [maybe], reasons: [] });
  assert.deepEqual(shown, []);
  helper.choose(7, maybe);
  assert.equal(shown[0].text, RICE);
});

test("an answer that the eye refuses, since something else stands there, is told, and can be asked for again", async () => {
  const { told, shown, eye, hold } = shelf([{ ...empty, codes: [sure] }, { ...empty, codes: [sure] }]);
  eye.moved = true;
  await hold();
  assert.deepEqual([told.at(-1).state, shown], ["moved", []]);
  eye.moved = false;
  await hold();
  assert.deepEqual([told.at(-1).state, shown.length], ["answered", 1]);
});

test("a candidate that is tapped when something else stands there is told too", async () => {
  const { told, eye, helper, hold } = shelf([{ ...empty, candidates: [maybe] }]);
  await hold();
  eye.moved = true;
  helper.choose(7, maybe);
  assert.equal(told.at(-1).state, "moved");
});

test("an answer that comes after the code was read or lost changes nothing", async () => {
  for (const later of [[sighting(7, "confirmed")], []]) {
    const { shown, eye, told, hold } = shelf([{ ...empty, codes: [sure] }]);
    const waits = hold();
    eye.sightings = later;
    await waits;
    assert.deepEqual(shown, []);
    assert.equal(told.at(-1).state, "not_read");
  }
});

test("two products in one answer are none", async () => {
  const { shown, hold } = shelf([{ ...empty, codes: [sure, { ...sure, text: "4006381333931" }] }]);
  await hold();
  assert.deepEqual(shown, []);
});

test("a busy reader is asked once more, one out of reach is told", async () => {
  const busy = { id: 1, problem: { code: "reader_busy", detail: "", mend: "", retry_ms: 1 } };
  const patient = shelf([busy, { ...empty, codes: [sure] }]);
  await patient.hold();
  assert.equal(patient.told.at(-1).state, "answered");
  const away = shelf([new LineError("phone_revoked")]);
  await away.hold();
  assert.deepEqual(away.told.at(-1), { id: 7, state: "offline", candidates: [], reasons: ["phone_revoked"] });
});

test("a code is asked about once at a time, three each time the phone is held still", async () => {
  const many = [1, 2, 3, 4].map((id) => sighting(id));
  const { asked, hold } = shelf([empty, empty, empty], many);
  await Promise.all([hold(), hold(many.slice(0, 2))]);
  assert.equal(asked.length, 3);
});

test("a message is its header's length, the header and the picture", () => {
  const message = questionMessage({ id: 3, kind: "crop", place: "货架", quad: [] }, Uint8Array.of(1, 2));
  const length = new DataView(message.buffer).getUint32(0);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(message.slice(4, 4 + length))), { id: 3, kind: "crop", place: "货架", quad: [] });
  assert.deepEqual([...message.slice(4 + length)], [1, 2]);
});

test("what is no answer is none", () => {
  for (const text of ["", "{}", "[]", "null", '{"id":1}', '{"id":1,"codes":3,"candidates":[]}']) assert.equal(answerOf(text), null, text);
});

/** A WebSocket that opens at once and answers as `say` tells. */
class Socket extends EventTarget {
  constructor(say) {
    super();
    this.readyState = 0;
    this.say = say;
    queueMicrotask(() => { this.readyState = 1; this.dispatchEvent(new Event("open")); });
  }

  send(message) {
    this.say(this, message);
  }

  close() {
    this.readyState = 3;
  }

  hear(told) {
    const event = new Event("message");
    event.data = JSON.stringify(told);
    this.dispatchEvent(event);
  }
}

test("the line asks one thing at a time, and takes no late answer for the next one's", async () => {
  const order = [];
  const line = new Line("ws://hub", () => new Socket((socket, message) => {
    const id = JSON.parse(new TextDecoder().decode(message.slice(4, 4 + new DataView(message.buffer).getUint32(0)))).id;
    order.push(`asked ${id}`);
    queueMicrotask(() => {
      socket.hear({ ...empty, id: id - 1 });
      order.push(`answered ${id}`);
      socket.hear({ ...empty, id });
    });
  }));
  const both = await Promise.all([line.ask(question, new Blob([])), line.ask(question, new Blob([]))]);
  assert.deepEqual(both.map(({ id }) => id), [1, 2]);
  assert.deepEqual(order, ["asked 1", "answered 1", "asked 2", "answered 2"]);
  line.close();
});

const answers = (socket, message) => {
  const { id } = JSON.parse(new TextDecoder().decode(message.slice(4, 4 + new DataView(message.buffer).getUint32(0))));
  queueMicrotask(() => socket.hear({ ...empty, id }));
};
/** What a socket that is closed does with what it is sent: nothing, and nobody hears of it. */
const deaf = () => {};
const question = { kind: "crop", place: "", quad: [] };

test("a line that closes between opening and asking does not keep anybody waiting: it is dialled again", { timeout: 5000 }, async () => {
  const sockets = [];
  const line = new Line("ws://hub", () => {
    const socket = new Socket(sockets.length ? answers : deaf);
    if (!sockets.length) socket.addEventListener("open", () => { socket.readyState = 3; });
    sockets.push(socket);
    return socket;
  });
  assert.deepEqual([(await line.ask(question, new Blob([]))).id, sockets.length], [1, 2]);
  line.close();
});

test("a line that falls each time is told at once, not after twenty seconds", { timeout: 5000 }, async () => {
  let dialled = 0;
  const line = new Line("ws://hub", () => {
    const socket = new Socket(deaf);
    dialled += 1;
    socket.addEventListener("open", () => { socket.readyState = 3; });
    return socket;
  });
  await assert.rejects(line.ask(question, new Blob([])), LineError);
  assert.equal(dialled, 2);
});

test("a line that stood idle and was dead is asked over a new one", { timeout: 5000 }, async () => {
  const sockets = [];
  const line = new Line("ws://hub", () => {
    const socket = new Socket(answers);
    sockets.push(socket);
    return socket;
  });
  await line.ask(question, new Blob([]));
  sockets[0].say = (socket) => queueMicrotask(() => socket.dispatchEvent(Object.assign(new Event("close"), { reason: "" })));
  assert.deepEqual([(await line.ask(question, new Blob([]))).id, sockets.length], [2, 2]);
  line.close();
});

test("a hub that ends the line says why, and the next question dials again", async () => {
  let dialled = 0;
  const line = new Line("ws://hub", () => {
    dialled += 1;
    return new Socket((socket) => {
      const event = new Event("close");
      event.reason = "phone_revoked";
      socket.dispatchEvent(event);
    });
  });
  for (let k = 0; k < 2; k += 1) {
    await assert.rejects(line.ask({ kind: "crop", place: "", quad: [] }, new Blob([])), { reason: "phone_revoked" });
  }
  assert.equal(dialled, 2);
});
