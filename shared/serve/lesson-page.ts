/** A lesson's text as a page, for the links that lead there from the wire. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marked } from 'marked';
import { LESSONS, type Lesson, ROOT } from '../course/lessons.ts';

/** Headings of steps have an ID, for links. */
const marked = new Marked({
  renderer: {
    heading({ tokens, depth, text }) {
      const step = /^Step (\d+) ·/.exec(text)?.[1];
      const id = step === undefined ? '' : ` id="step-${step}"`;
      return `<h${depth}${id}>${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
  },
});

/** Makes a page of a lesson's README. Its links and pictures stay relative to it. */
export function lessonPage(lesson: Lesson): string {
  const markdown = readFileSync(join(ROOT, 'lessons', lesson.name, 'README.md'), 'utf8');
  const links = LESSONS.map((other) => {
    const current = other === lesson ? ' aria-current="page"' : '';
    return `<a href="/lessons/${other.name}/README.md"${current}>${other.number} ${other.title}</a>`;
  });
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${lesson.number} · ${lesson.title} · WebSocket 101</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/page.css">
    <link rel="stylesheet" href="/text.css">
  </head>
  <body class="text">
    <nav aria-label="Course"><a href="/">WebSocket <b>101</b></a> ${links.join(' ')}</nav>
    <main>
${marked.parse(markdown, { async: false })}
    </main>
  </body>
</html>
`;
}
