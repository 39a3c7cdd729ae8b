// Talking with the hub: which phone asks, whose session, and what went wrong in the hub's own words.

/** What the hub answered instead of doing it (RFC 9457); `code` is stable, 0 and "offline" where it was not reached. */
export class HubError extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {Record<string, any>} [data] */
  constructor(status, code, message, data = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.data = data;
  }
}

const PATIENCE_MS = 20_000;
/** Five hundred entries are booked one by one before the hub answers. */
export const LONG_MS = 120_000;

export class Hub {
  /** The phone's name, sent with each request. */
  device = "";
  /** Of the session; goes with each write. */
  csrf = "";
  /** Called once where the session has ended; true: it is open again. @type {() => Promise<boolean>} */
  renew = async () => false;

  /** @param {string} path @returns {Promise<any>} */
  async get(path) {
    return (await this.ask(path)).json();
  }

  /** @param {string} path @param {unknown} body @param {number} [patience_ms] @returns {Promise<any>} */
  async post(path, body, patience_ms = PATIENCE_MS) {
    const headers = { "Content-Type": "application/json" };
    const answer = await this.ask(path, { method: "POST", body: JSON.stringify(body), headers, signal: AbortSignal.timeout(patience_ms) });
    return answer.status === 204 ? null : answer.json();
  }

  /**
   * @param {string} path
   * @param {RequestInit & { headers?: Record<string, string> }} [more]
   * @param {boolean} [again]
   * @returns {Promise<Response>} below 400
   * @throws {HubError}
   */
  async ask(path, more = {}, again = true) {
    const headers = { ...more.headers, ...(this.device && { "Tallyman-Phone": this.device }), ...(this.csrf && { "X-CSRF-Token": this.csrf }) };
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS), ...more, headers }).catch((why) => {
      throw new HubError(0, "offline", "The hub was not reached", { why: String(why) });
    });
    if (answer.ok || answer.status === 304) return answer;
    const expired = answer.status === 401 && again && !/\/(challenge|session)$/.test(path);
    if (expired && (await this.renew())) return this.ask(path, more, false);
    const told = await answer.json().catch(() => ({}));
    throw new HubError(answer.status, told.code ?? `http_${answer.status}`, told.detail ?? told.title ?? answer.statusText, told);
  }
}
