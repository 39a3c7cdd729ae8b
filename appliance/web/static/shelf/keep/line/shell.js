// The service worker that holds the page itself: registered here, and replaced when the person agrees.

/**
 * @param {() => void} ready called when a newer page stands ready behind this one
 * @returns {Promise<ServiceWorkerRegistration | null>} null where the browser has none, or the hub is not reached
 */
export async function registerShell(ready) {
  if (!("serviceWorker" in navigator)) return null;
  try {
    const registration = await navigator.serviceWorker.register("/shelf/sw.js", { scope: "/shelf", updateViaCache: "none" });
    const look = () => {
      if (registration.waiting && navigator.serviceWorker.controller) ready();
    };
    registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
    look();
    return registration;
  } catch {
    return null; // Offline at the first visit: the next one registers it.
  }
}

/**
 * Let the newer page take over, and load it. What was written stands in the store and stays.
 * @param {ServiceWorkerRegistration} registration
 */
export function takeOver(registration) {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  registration.waiting?.postMessage("take over");
}
