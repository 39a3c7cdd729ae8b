// Decides whether the camera may open, and what stands before it otherwise.

import { HubError } from "../keep/line/hub.js";
import { showGate } from "./sheets/gate.js";

/** @import { Keep } from "../keep/keep.js" */
/** @import { CameraFace } from "./camera_face.js" */
/** @import { Page } from "./page.js" */
/** @import { Person } from "./sheets/gate.js" */

export class Gatekeeper {
  drawn = "";
  #asking = false;
  /** @type {Person} */ #person = null;
  #reached = true;

  /**
   * @param {Page} page @param {Keep} kept @param {CameraFace} camera @param {HTMLElement} gate
   * @param {() => void} onshut called when the gate closes: what listens and asks ends
   */
  constructor(page, kept, camera, gate, onshut) {
    this.page = page;
    this.onshut = onshut;
    this.gate = gate;
    this.keep = kept;
    this.camera = camera;
  }

  /** @returns {"open" | "enrol" | "sign_in" | "offline" | "locked" | "wiped" | "fetching"} */
  #standing() {
    const { keep: kept } = this;
    // Its log takes no more: a person enrols it anew. Without the network one may still look.
    if (kept.phone && kept.state.tampered && this.#reached) return this.#person || token() ? "enrol" : "sign_in";
    if (kept.phone && kept.stock) return "open";
    if (kept.phone && kept.state.locked) return "locked";
    if (kept.phone) return kept.state.line === "signed_out" ? "sign_in" : kept.state.line === "offline" && kept.state.version === 0 ? "offline" : "fetching";
    if (kept.state.troubles.some((trouble) => trouble.code === "keep_wiped") && !this.#person) return "wiped";
    if (!this.#reached) return "offline";
    return this.#person || token() ? "enrol" : "sign_in";
  }

  async look() {
    if (this.#asking) return;
    if ((!this.keep.phone || this.keep.state.tampered) && !this.#person) await this.#ask();
    const why = this.#standing();
    if (why === this.drawn) return;
    this.drawn = why;
    document.body.dataset.state = why;
    this.#seal(why !== "open");
    if (why === "open") {
      this.gate.hidden = true;
      this.gate.replaceChildren();
      this.page.ondraw();
      return void this.camera.open();
    }
    this.camera.close();
    showGate(this.page, this.gate, { why, person: this.#person, token: token(), enrol: (asked) => this.#enrol(asked), again: () => void this.#again() });
  }

  /**
   * Whoever stands before the gate has nothing but the gate: no sheet over it, and nothing beneath it or beside it
   * that a finger, a key or a screen reader could reach.
   * @param {boolean} shut
   */
  #seal(shut) {
    this.page.sheets.shut(shut);
    if (shut) {
      this.page.toast.hide();
      this.onshut();
    }
    const beneath = [...document.querySelectorAll("#strip, #panel"), ...(this.gate.parentElement?.children ?? [])];
    for (const each of beneath) if (each instanceof HTMLElement && each !== this.gate) each.inert = shut;
  }

  async #ask() {
    this.#asking = true;
    try {
      const me = await this.keep.hub.get("/api/v1/shelf/me");
      // A phone's own session enrols no other phone.
      this.#person = me.phone ? null : { name: me.display_name || me.name, roles: me.roles };
      this.#reached = true;
    } catch (error) {
      this.#reached = !(error instanceof HubError && error.status === 0);
      this.#person = null;
    } finally {
      this.#asking = false;
    }
  }

  /** @param {{ name: string, role: string, token: string }} asked */
  async #enrol(asked) {
    await this.keep.enrol(asked);
    if (location.hash) history.replaceState(null, "", location.pathname);
    await this.look();
  }

  async #again() {
    this.drawn = "";
    await this.keep.sync.now();
    await this.look();
  }
}

/** An invitation that the address carries, behind the sign that is never sent. */
function token() {
  return location.hash.length > 20 ? location.hash.slice(1) : "";
}
