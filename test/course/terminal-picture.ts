import { widthOf } from '../../shared/view/width.ts';

/** The size of a cell, in units of the picture. */
const CELL = { width: 8.4, height: 19 };
const MARGIN = 20;

/** What the codes for colours and weights are called in the style sheet. Others change nothing. */
const CLASSES: Readonly<Record<string, string>> = {
  1: 'bold',
  2: 'dim',
  31: 'red',
  32: 'green',
  33: 'yellow',
  36: 'cyan',
};

/** Draws what a command has printed to a terminal, as SVG that follows light and dark. */
export function drawTerminal(output: string, title: string, description: string): string {
  const lines = output.replace(/^\n+|\s+$/g, '').split('\n');
  const width = Math.ceil(80 * CELL.width) + 2 * MARGIN;
  const height = lines.length * CELL.height + 2 * MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
  <title id="title">${escapeXml(title)}</title>
  <desc id="desc">${escapeXml(description)}</desc>
  <style>
    rect { fill: #f6f8fa; stroke: #d1d9e0; }
    text { fill: #1f2328; white-space: pre; }
    .bold { font-weight: bold; }
    .dim { fill: #59636e; }
    .red { fill: #c21c2c; }
    .green { fill: #116329; }
    .yellow { fill: #7d4e00; }
    .cyan { fill: #0550ae; }
    @media (prefers-color-scheme: dark) {
      rect { fill: #0d1117; stroke: #3d444d; }
      text { fill: #f0f6fc; }
      .dim { fill: #9198a1; }
      .red { fill: #ff8e85; }
      .green { fill: #6fdd8b; }
      .yellow { fill: #f0b72f; }
      .cyan { fill: #79c0ff; }
    }
  </style>
  <rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" />
${lines.map(drawLine).filter(Boolean).join('\n')}
</svg>
`;
}

/** Draws a line, as wide as its columns are, whatever font there is. */
function drawLine(line: string, row: number): string {
  const y = MARGIN + (row + 0.75) * CELL.height;
  const active = new Set<string>();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with ESC
  const parts = line.split(/\x1b\[([\d;]*)m/).map((part, i) => {
    if (i % 2 === 0)
      return part && `<tspan class="${[...active].join(' ')}">${escapeXml(part)}</tspan>`;
    follow(part, active);
    return '';
  });
  const spans = parts.join('').replaceAll(' class=""', '');
  const columns = widthOf(line);
  if (columns === 0) return '';
  return `  <text x="${MARGIN}" y="${y}" textLength="${(columns * CELL.width).toFixed(1)}">${spans}</text>`;
}

/** Does what a code says to the classes that are on. */
function follow(codes: string, active: Set<string>): void {
  for (const code of codes.split(';')) {
    if (code === '22') for (const weight of ['bold', 'dim']) active.delete(weight);
    else if (code === '39') for (const name of Object.values(CLASSES).slice(2)) active.delete(name);
    else if (CLASSES[code]) active.add(CLASSES[code]);
  }
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
