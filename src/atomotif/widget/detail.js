// Sharpens a micrograph of which only a reduced copy was sent: where the zoom shows less than one of its pixels
// on each of the screen's, the part in sight is asked for at full resolution.
const PAUSE = 150; // ms without a movement before anything is asked for

// Returns what is to be called whenever the range of `view` has changed. `ask` resolves to a part
// {x0, x1, y0, y1, shape, pixels}, or to nothing; `show` gets the part, or nothing once it is of no use.
export function micrographDetail({ view, ask, facts, signal, show, onError }) {
  const { extent, reduction, pixelSize } = facts;
  let newest = 0;
  let timer;
  let shown = false;
  signal.addEventListener("abort", () => clearTimeout(timer));

  async function sharpen() {
    const mine = ++newest;
    const { x0, x1, y0, y1 } = view.range;
    const density = window.devicePixelRatio;
    const perPixel = (x1 - x0) / (view.width * density);
    if (perPixel >= reduction * pixelSize) {
      if (shown) show(undefined);
      shown = false;
      return;
    }
    // A margin lets small movements find their pixels there already.
    const [padX, padY] = [0.15 * (x1 - x0), 0.15 * (y1 - y0)];
    const range = {
      x0: Math.max(extent.x0, x0 - padX), x1: Math.min(extent.x1, x1 + padX),
      y0: Math.max(extent.y0, y0 - padY), y1: Math.min(extent.y1, y1 + padY),
    };
    if (range.x0 >= range.x1 || range.y0 >= range.y1) return;
    const part = await ask({
      ...range,
      width: Math.ceil((range.x1 - range.x0) / perPixel),
      height: Math.ceil((range.y1 - range.y0) / perPixel),
    });
    if (mine !== newest || signal.aborted || !part) return;
    shown = true;
    show(part);
  }

  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => sharpen().catch(onError), PAUSE);
  };
}
