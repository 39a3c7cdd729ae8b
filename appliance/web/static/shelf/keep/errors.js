// What a phone refuses to do, with the words `reason.<code>`.

export class KeepError extends Error {
  /**
   * @param {"keep_not_enrolled" | "keep_locked" | "keep_revoked" | "keep_retired" | "keep_full" | "keep_cannot"} code
   * @param {ErrorOptions} [more]
   */
  constructor(code, more) {
    super(code, more);
    this.code = code;
  }
}
