/** The chart of the README: how many times longer each peer takes, on a logarithmic scale. */

export interface Bar {
  readonly label: string;
  /** The peer's time by ours. */
  readonly ratio: number;
}

export interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 720, LABEL = 190, ROW = 22, TITLE = 30, RIGHT = 70;

export function chart(groups: readonly Group[]): string {
  const largest = Math.max(10, ...groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)));
  const scale = (ratio: number) =>
    Math.max(0, Math.log10(ratio) / Math.log10(largest)) * (WIDTH - LABEL - RIGHT);
  let y = 10;
  const body = groups.flatMap(({ title, bars }) => {
    const head = `<text x="0" y="${y += TITLE}" font-weight="600">${title}</text>`;
    return [
      head,
      ...bars.map(({ label, ratio }) => {
        y += ROW;
        const width = scale(ratio).toFixed(1);
        const value = ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1);
        return `<text x="${LABEL - 8}" y="${y}" text-anchor="end">${label}</text>` +
          `<rect x="${LABEL}" y="${y - 12}" width="${width}" height="15" rx="2" fill="#3b6ea5"/>` +
          `<text x="${LABEL + Number(width) + 6}" y="${y}">${value}x</text>`;
      }),
    ];
  });
  const height = y + 20;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
    `font-family="system-ui, sans-serif" font-size="13" role="img">`,
    "<title>Time of each peer, as a multiple of this engine's</title>",
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}
