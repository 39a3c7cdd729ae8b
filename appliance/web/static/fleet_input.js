// How the map is moved, zoomed and asked: mouse, fingers and keys.

/** Mouse, fingers and keys. @param {import("./fleet_map.js").Floor} floor */
export function listen(floor) {
  const canvas = floor.canvas;
  /** @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  let dragged = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    dragged = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const [dx, dy] = [event.offsetX - before.x, event.offsetY - before.y];
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    dragged += Math.hypot(dx, dy);
    if (other) {
      const was = Math.hypot(before.x - other.x, before.y - other.y), is = Math.hypot(event.offsetX - other.x, event.offsetY - other.y);
      if (was > 0) floor.zoom(is / was, (event.offsetX + other.x) / 2, (event.offsetY + other.y) / 2);
    } else if (dragged > 4) floor.move(dx, dy);
    down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  });
  canvas.addEventListener("pointerup", (event) => {
    down.delete(event.pointerId);
    if (dragged <= 4) floor.pick(floor.nearest(event.offsetX, event.offsetY));
  });
  canvas.addEventListener("pointercancel", (event) => down.delete(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    floor.zoom(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY);
  }, { passive: false });
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowLeft: () => floor.move(60, 0), ArrowRight: () => floor.move(-60, 0),
    ArrowUp: () => floor.move(0, 60), ArrowDown: () => floor.move(0, -60),
    "+": () => floor.zoom(1.3), "=": () => floor.zoom(1.3), "-": () => floor.zoom(1 / 1.3), 0: () => floor.fit(),
    Escape: () => floor.pick(""),
  };
  canvas.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
}
