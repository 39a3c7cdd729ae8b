// The page at the shelf: brings eye, stock, modes and log together.

import { Eye } from "./eye/eye.js";
import { Frame } from "./faces/parts/frame.js";
import { Beside } from "./faces/parts/beside.js";
import { byId, takeSprite } from "./faces/parts/dom.js";
import { Seen } from "./faces/parts/seen.js";
import { Toast } from "./faces/parts/toast.js";
import { applyWishes, readWishes } from "./faces/parts/wishes.js";
import { CameraFace } from "./faces/camera_face.js";
import { Gatekeeper } from "./faces/gatekeeper.js";
import { describing, hearingContext, obey } from "./faces/hearing.js";
import { Helping } from "./faces/helping.js";
import { Page } from "./faces/page.js";
import { Scene } from "./faces/scene.js";
import { showGate } from "./faces/sheets/gate.js";
import { Words } from "./faces/words.js";
import { Helper } from "./help/damaged.js";
import { Keep } from "./keep/keep.js";
import { loadGrammar } from "./voice/grammar.js";
import { Parser } from "./voice/parser.js";
import { recogniserFor, voiceSetting } from "./voice/recogniser.js";
import { Talk } from "./voice/talk.js";

const wishes = readWishes();
applyWishes(wishes);
const gate = byId("gate"), view = byId("view");
const toast = new Toast(byId("toast"), byId("spoken"));
const canvas = /** @type {HTMLCanvasElement} */ (byId("canvas")), video = /** @type {HTMLVideoElement} */ (byId("video"));

const [words] = await Promise.all([Words.load(wishes.language), takeSprite()]);
const keep = await Keep.open().catch(() => null);
if (keep) await start(keep);
else {
  const page = new Page({ keep: /** @type {any} */ ({ stock: null, phone: null }), words, wishes, sheets: byId("sheets"), toast });
  showGate(page, gate, { why: "cannot", person: null, token: "", enrol: async () => {}, again: () => location.reload() });
  document.body.dataset.state = "cannot";
}

/** @param {Keep} kept */
async function start(kept) {
  const page = new Page({ keep: kept, words, wishes, sheets: byId("sheets"), toast });
  const seen = new Seen(byId("seen"), (id) => scene.tapped(id), (text) => toast.say(text));
  const beside = new Beside(byId("beside"), page, { turn: () => scene.turn(), list: () => document.body.toggleAttribute("data-list") });
  const scene = new Scene({ page, canvas, beside: byId("beside"), seen, onleft: (count) => beside.left(count) });
  const frame = new Frame({ strip: byId("strip"), bar: byId("bar"), modes: byId("modes") }, page);
  const eye = new Eye({ video, canvas, lookup: (text, format) => page.stock?.lookup(text, format) ?? null, draw: scene.draw });
  const camera = new CameraFace(page, eye, beside, view);
  page.eye = eye;
  page.ondraw = () => {
    scene.changed();
    frame.draw();
  };
  page.onwished = async () => {
    applyWishes(wishes);
    page.words = await Words.load(wishes.language);
    scene.repaint();
    frame.reword();
    beside.reword();
    scene.changed();
    gatekeeper.drawn = "";
    await gatekeeper.look();
    void voice();
  };
  /** @type {Talk | null} */
  let talk = null;
  const helping = new Helping(page, () => scene.changed());
  const helper = new Helper({ eye, place: () => page.place, tell: helping.tell });
  page.onchoose = (id, maybe) => helper.choose(id, maybe);
  page.onhelp = (id) => void helping.ask(helper, id);
  const gatekeeper = new Gatekeeper(page, kept, camera, gate, () => talk?.stop());
  kept.onchange(() => {
    page.ondraw();
    page.sheets.refill();
    void gatekeeper.look();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => scene.repaint());
  document.addEventListener("visibilitychange", () => camera.visible());

  const selected = () => scene.sightings.find((each) => each.id === page.chosen)?.known?.gtin ?? onlyOne(scene.sightings.flatMap((each) => each.known?.gtin ?? []));
  const voice = async () => {
    talk?.stop();
    talk = null;
    beside.talk.replaceChildren();
    const setting = await voiceSetting(kept.hub, localStorage);
    const recogniser = recogniserFor(setting, kept.hub);
    if (!recogniser) return;
    talk = new Talk({
      bar: beside.talk, words: page.words, recogniser, parser: new Parser(await loadGrammar()), mostMs: setting.most_seconds * 1000,
      context: () => ({ ...hearingContext(page, selected()), asking: talk?.asking === true || page.sheets.names.at(-1) === "ask-sure" }),
      onintent: (intent) => obey(page, beside, selected, intent), describe: (intent) => describing(page, intent), aloud: () => wishes.aloud,
    });
  };

  frame.reword();
  kept.start();
  helper.start();
  await gatekeeper.look();
  void voice();
  // For tests and for the bench, which hold what is drawn to the truth.
  Object.assign(window, { tallymanShelf: { page, eye, scene, keep: kept } });
}

/** @param {string[]} all @returns {string} the one that all are, otherwise empty */
function onlyOne(all) {
  const different = new Set(all);
  return different.size === 1 ? (all[0] ?? "") : "";
}
