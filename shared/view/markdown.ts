import { wrap } from './wrap.ts';

/**
 * Writes Markdown for a terminal: paragraphs and list items wrapped, code indented, no line wider
 * than `width` columns. Backticks stay, since they say what is code; other marks go.
 */
export function renderMarkdown(markdown: string, width: number): string[] {
  const blocks = markdown.matchAll(
    /^```[\w ]*\n([\s\S]*?)^```$|(\S[\s\S]*?)(?=\n\n|\n```|(?![\s\S]))/gm,
  );
  const lines = [...blocks].flatMap(([, code, text]) => [
    '',
    ...(code === undefined ? renderText(text ?? '', width) : renderCode(code, width)),
  ]);
  return lines.slice(1);
}

function renderText(text: string, width: number): string[] {
  const items = text.split(/\n(?=- )/);
  return items.flatMap((item) =>
    wrap(withoutMarks(item.replace(/\s+/g, ' ')), width, item.startsWith('- ') ? '  ' : ''),
  );
}

/** Takes the marks of emphasis and links away, and leaves what is in backticks alone. */
function withoutMarks(text: string): string {
  return text.replace(
    /(`[^`]*`)|\*\*(.+?)\*\*|\*(\S.*?)\*|\[([^\]]*)\]\(([^)]*)\)/g,
    (_, code?: string, bold?: string, italic?: string, link?: string, target?: string) =>
      code ?? bold ?? italic ?? `${link} (${target})`,
  );
}

function renderCode(code: string, width: number): string[] {
  const lines = code.trimEnd().split('\n');
  const indents = lines.filter((line) => line).map((line) => line.search(/\S/));
  const common = Math.min(...indents);
  return lines.flatMap((line) => {
    const shown = line && `    ${line.slice(common)}`;
    return wrap(shown, width, ' '.repeat(shown.search(/\S|$/) + 4));
  });
}
