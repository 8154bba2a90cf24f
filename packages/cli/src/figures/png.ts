import { SoftrlError } from "softrl";

const MILLIMETRES_PER_INCH = 25.4;

/**
 * A figure as PNG, drawn with the fonts of this machine.
 * @param width of the figure in millimetres
 * @param dpi pixels per inch
 * @throws SoftrlError where the optional dependency that draws it is not installed.
 */
export async function pngOf(svg: string, width: number, dpi: number): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js").catch((error: unknown) => {
    const remedy = "install it with npm install @resvg/resvg-js, or write an .svg file";
    throw new SoftrlError(
      "--out",
      "PNG needs @resvg/resvg-js, which does not load here",
      { remedy },
      { cause: error },
    );
  });
  const pixels = Math.round((width / MILLIMETRES_PER_INCH) * dpi);
  return new Resvg(svg, { fitTo: { mode: "width", value: pixels } }).render().asPng();
}
