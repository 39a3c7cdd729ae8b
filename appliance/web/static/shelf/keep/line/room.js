// How much room the browser gives, and whether it promises to keep what is there.

const LOW_BYTES = 20_000_000;

/** Asks the browser to clear this site's store for nobody but the person. @returns {Promise<boolean>} */
export async function askToKeep() {
  return (await navigator.storage?.persisted?.()) || (await navigator.storage?.persist?.()) || false;
}

/** @returns {Promise<"fine" | "low">} */
export async function room() {
  const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  return quota - usage < LOW_BYTES ? "low" : "fine";
}
