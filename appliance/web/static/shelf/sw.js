// The page at the shelf without the network. Before this text the hub puts `self.MANIFEST`: every file of the page
// with its hash. What is kept is the page itself, never anything about people or goods: that is keep/store.js's.
//
// One version is kept whole or not at all: a page never runs with files of two. A newer one is fetched beside it,
// takes over when the person agrees or when the page was closed, and touches nothing that was written.
{
  /** @typedef {{ version: string, languages: string[], texts: string, files: Record<string, string> }} Manifest */

  const worker = /** @type {any} */ (self);
  /** @type {Manifest} */
  const manifest = worker.MANIFEST;
  const PREFIX = "tallyman-shelf-";
  const NAME = `${PREFIX}${manifest.version}`;
  const LIST = "/shelf/kept.json";
  const CHOSEN = "/shelf/chosen.json";
  const CHOICE = "tallyman-choice";

  /** Files of an older version that are still the same need not come over the line again. */
  async function olderFiles() {
    /** @type {Map<string, Response>} */
    const found = new Map();
    for (const name of (await caches.keys()).filter((each) => each.startsWith(PREFIX) && each !== NAME)) {
      const cache = await caches.open(name), list = await cache.match(LIST);
      /** @type {Record<string, string>} */
      const files = list ? await list.json() : {};
      for (const [address, hash] of Object.entries(files)) {
        const kept = hash && manifest.files[address] === hash ? await cache.match(address) : undefined;
        if (kept) found.set(address, kept);
      }
    }
    return found;
  }

  /** @param {string} address @param {string} hash */
  async function fetched(address, hash) {
    // No cookies: neither a person's session nor their language belongs into what is kept.
    const request = new Request(address, { cache: "no-cache", credentials: "omit", ...(hash && { integrity: hash }) });
    const answer = await fetch(request);
    if (!answer.ok || answer.redirected) throw new Error(`${address}: ${answer.status}`);
    return answer;
  }

  /** @type {Record<string, string>} */
  const KINDS = { js: "text/javascript", css: "text/css", svg: "image/svg+xml", json: "application/json" };

  /** The page's texts, which come in one answer, each compared with its hash. */
  async function texts() {
    const answer = await fetched(manifest.texts, "");
    // A worker of the page obeys the policy that its own script came with.
    const policy = answer.headers.get("Content-Security-Policy") ?? "default-src 'self'";
    /** @type {Record<string, string>} */
    const all = await answer.json();
    /** @type {Map<string, Response>} */
    const found = new Map();
    for (const [address, text] of Object.entries(all)) {
      const body = new TextEncoder().encode(text);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
      if (`sha256-${btoa(String.fromCharCode(...digest))}` !== manifest.files[address]) continue;
      const kind = `${KINDS[address.split(".").at(-1) ?? ""]}; charset=utf-8`;
      found.set(address, new Response(body, { headers: { "Content-Type": kind, "Content-Security-Policy": policy } }));
    }
    return found;
  }

  async function install() {
    const cache = await caches.open(NAME), had = new Set((await cache.keys()).map((each) => new URL(each.url).pathname));
    const older = await olderFiles();
    const missing = Object.entries(manifest.files).filter(([address, hash]) => !hash || !had.has(address));
    const together = missing.some(([address, hash]) => hash && !older.has(address)) ? await texts() : new Map();
    const whole = missing.map(async ([address, hash]) => {
      await cache.put(address, older.get(address) ?? together.get(address) ?? (await fetched(address, hash)));
    });
    await Promise.all(whole);
    await cache.put(LIST, Response.json(manifest.files));
  }

  async function activate() {
    const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
    await Promise.all(old.map((name) => caches.delete(name)));
    await worker.clients.claim();
  }

  /** The shell in the language of the address, the one chosen last, or the browser's. @param {URL} address */
  async function shell(address) {
    const choice = await caches.open(CHOICE);
    const asked = address.searchParams.get("lang") ?? "";
    if (manifest.languages.includes(asked)) await choice.put(CHOSEN, Response.json(asked));
    const kept = await choice.match(CHOSEN);
    const first = manifest.languages.find((each) => navigator.language.startsWith(each));
    const language = kept ? await kept.json() : (first ?? manifest.languages[0]);
    return inside(`/shelf?lang=${language}`, address.href);
  }

  /** @param {string} kept @param {string | Request} otherwise */
  async function inside(kept, otherwise) {
    const cache = await caches.open(NAME);
    return (await cache.match(kept, { ignoreVary: true })) ?? fetch(otherwise);
  }

  worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(install()));
  worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(activate()));
  worker.addEventListener("message", (/** @type {MessageEvent} */ event) => {
    if (event.data === "take over") worker.skipWaiting();
  });
  worker.addEventListener("fetch", (/** @type {any} */ event) => {
    /** @type {Request} */
    const request = event.request;
    const address = new URL(request.url);
    if (request.method !== "GET" || address.origin !== location.origin) return;
    if (request.mode === "navigate" && address.pathname === "/shelf") event.respondWith(shell(address));
    else if (address.pathname + address.search in manifest.files) event.respondWith(inside(address.pathname + address.search, request));
  });
}
