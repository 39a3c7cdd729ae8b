// Runs where sound is made (AudioWorklet): hands each block of the first channel to the page.

// The worklet's own global names, which the page's types do not know.
const scope = /** @type {any} */ (globalThis);

class Capture extends scope.AudioWorkletProcessor {
  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const block = inputs[0]?.[0];
    if (block) this.port.postMessage(block.slice());
    return true;
  }
}

scope.registerProcessor("capture", Capture);
