// The figure of the anchors: its points, and round them the anchors' averages and names.
import { PointView } from "./point_view.js";

export class AnchorView extends PointView {
  constructor({ doc, ndarray, columns, shapes, anchors, ...rest }) {
    super({ doc, ndarray, x: columns.anchorX, y: columns.anchorY, home: anchors.extent, ...rest });
    const { names, colors, corners, tiles, tileHalf: half, picture } = anchors;
    const model = (name) => doc.get_model_by_name(`anchors-${name}`);
    this.edge = model("edge");
    this.names = model("name");
    if (columns.anchorPicture) {
      const [rows, cols] = shapes.anchorPicture;
      const image = ndarray(columns.anchorPicture.slice().buffer, { dtype: "uint32", shape: [rows, cols] });
      const { x0, x1, y0, y1 } = picture;
      model("mixture").data_source.data = { image: [image], x: [x0], y: [y0], dw: [x1 - x0], dh: [y1 - y0] };
    }
    const [x, y] = [tiles.map((tile) => tile[0]), tiles.map((tile) => tile[1])];
    const side = names.map(() => 2 * half);
    if (columns.anchorAverages) {
      const [, rows, cols] = shapes.anchorAverages;
      const image = names.map((_, k) => {
        const part = columns.anchorAverages.slice(k * rows * cols, (k + 1) * rows * cols);
        return ndarray(part.buffer, { dtype: "uint8", shape: [rows, cols] });
      });
      const [left, low] = [x.map((value) => value - half), y.map((value) => value - half)];
      model("average").data_source.data = { image, x: left, y: low, dw: side, dh: side };
    }
    model("frame").data_source.data = { x, y, width: side, height: side, color: colors };
    this.edge.data_source.data = { x: corners.map((corner) => corner[0]), y: corners.map((corner) => corner[1]) };
    // On the side of the tile that is away from the points.
    const above = y.map((value) => value > 0);
    this.names.data_source.data = {
      x, text: names,
      y: y.map((value, k) => value + (above[k] ? 1.1 : -1.1) * half),
      baseline: above.map((one) => (one ? "bottom" : "top")),
    };
  }

  paint(theme) {
    super.paint(theme);
    this.edge.glyph.line_color = { value: theme.muted };
    this.names.glyph.text_color = { value: theme.text };
  }
}
