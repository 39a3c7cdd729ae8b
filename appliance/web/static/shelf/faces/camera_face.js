// Opens and closes the eye as the page is seen and hidden, and says what a camera lacks.

import { CameraError } from "../eye/camera.js";
import { button, h, icon } from "./parts/dom.js";

/** @import { Eye } from "../eye/eye.js" */
/** @import { Page } from "./page.js" */
/** @import { Beside } from "./parts/beside.js" */

export class CameraFace {
  #open = false;
  #wanted = false;

  /** @param {Page} page @param {Eye} eye @param {Beside} beside @param {HTMLElement} view where trouble is told */
  constructor(page, eye, beside, view) {
    this.page = page;
    this.view = view;
    this.eye = eye;
    this.beside = beside;
    eye.onfail((reason) => {
      this.#shut();
      this.#told(new CameraError(reason));
    });
  }

  async open() {
    this.#wanted = true;
    if (this.#open || document.visibilityState === "hidden") return;
    this.#open = true;
    try {
      await this.eye.start();
      this.view.querySelector(".no-camera")?.remove();
      this.beside.opened();
      document.body.dataset.camera = "open";
    } catch (error) {
      this.#open = false;
      this.#told(error);
    }
  }

  close() {
    this.#wanted = false;
    this.#shut();
  }

  visible() {
    if (document.visibilityState === "hidden") this.#shut();
    else if (this.#wanted) void this.open();
  }

  #shut() {
    if (this.#open) {
      this.eye.stop();
      this.page.count.pause();
    }
    this.#open = false;
  }

  /** Without a camera the page still works by typed codes. @param {unknown} error */
  #told(error) {
    const { words: { t } } = this.page;
    const why = error instanceof CameraError ? this.page.words.reason(error.reason) : t("shelf.failed", { why: String(error) });
    document.body.dataset.camera = "none";
    this.view.querySelector(".no-camera")?.remove();
    this.view.append(h("div", { class: "no-camera", role: "alert" }, icon("camera", "icon-l"), h("p", { text: why }),
      h("div", { class: "row-acts" }, button(t("shelf.try_again"), () => void this.open(), { name: "camera-again" }), button(t("shelf.type_code"), () => void this.page.host.ask("entry"), { icon: "shelf-keys", name: "entry" }))));
  }
}
