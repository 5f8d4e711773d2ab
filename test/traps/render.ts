/** How the traps are shown: as the pages in `test/traps/`, and as the table of `npm run traps`. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { Lesson } from '../../shared/course/lessons.ts';
import type { StepResult } from '../../shared/harness/facts.ts';
import { hunksOf } from '../../shared/view/diff.ts';
import { style } from '../../shared/view/style.ts';
import { wrap } from '../../shared/view/wrap.ts';
import { REQUIREMENTS } from '../rules/requirements.ts';
import { spring } from './spring.ts';
import { DOCUMENTS, type Edit, type Trap } from './trap.ts';

/** A trap, and the step that has caught it. */
export interface Caught {
  readonly trap: Trap;
  /** `undefined`: every step passes. */
  readonly by: StepResult | undefined;
}

/** A lesson, with what the page says of it. */
export interface Chapter {
  readonly lesson: Lesson;
  /** The source of its solution. */
  readonly source: string;
  /** The titles of its steps. */
  readonly steps: readonly string[];
  readonly caught: readonly Caught[];
}

// ── The page ────────────────────────────────────────────────────────────────────────────────────

/** Writes the page that shows the traps of a lesson, with what a learner is told. */
export function renderPage({ lesson, source, steps, caught }: Chapter): string {
  const { number, name, title } = lesson;
  return `${[
    `# Traps of lesson ${number}: ${title}`,
    `<!-- Made by ${name}.test.ts. To make it again: npx vitest run test/traps/${name} -u -->`,
    `${caught.length} mistakes that people make when they implement WebSocket, each as a small edit of the course’s own solution. Below each edit is what the checks tell somebody who has made it.`,
    `To teach with one, show the edit and ask what it breaks, and who would notice. Then make it in the solution’s file, and run \`npm test solutions/${number}\` for the answer. \`npm run traps\` tries all of them, one after another, and shows which step catches each.`,
    ...steps.flatMap((step, i) => {
      const own = caught.filter(({ trap }) => trap.step === i + 1);
      if (own.length === 0) return [];
      return [`## Step ${i + 1}: ${step}`, ...own.flatMap((one) => renderTrap(one, source))];
    }),
  ].join('\n\n')}\n`;
}

/** Writes what the page says of a trap, paragraph by paragraph. */
export function renderTrap({ trap, by }: Caught, source: string): string[] {
  const { failure } = by ?? {};
  const told = failure ? [failure.what, failure.cause ?? []].flat() : ['It is not caught.'];
  return [
    `### ${trap.id}`,
    trap.story,
    [renderSource(trap.source), ...trap.rules.map(renderRule)].join('\n'),
    ['```diff', ...renderEdits(source, trap.edits), '```'].join('\n'),
    told.map((line) => `> ${line}`).join('\n>\n'),
  ];
}

function renderSource(source: string): string {
  const [, rfc, section] = /^RFC (\d+) §([\d.]+)$/.exec(source) ?? [];
  return section
    ? `- To read: [${source}](https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section})`
    : `- Seen in: [${source}](${addressOf(source)})`;
}

/** Where a source is. `undefined`: it is of no known kind. */
export function addressOf(source: string): string | undefined {
  const [, repository, issue] = /^([\w.-]+\/[\w.-]+)(?:#(\d+))?$/.exec(source) ?? [];
  if (repository) return `https://github.com/${repository}${issue ? `/issues/${issue}` : ''}`;
  const question = /^Stack Overflow (\d+)$/.exec(source)?.[1];
  if (question) return `https://stackoverflow.com/q/${question}`;
  if (/^CVE-\d{4}-\d+$/.test(source)) return `https://www.cve.org/CVERecord?id=${source}`;
  return DOCUMENTS[source];
}

function renderRule(number: number): string {
  const rule = REQUIREMENTS.find((candidate) => candidate.number === number);
  const where = rule?.section.replace(/^(?=\d)/, '§');
  return `- Breaks rule ${number}, ${where}: ${rule?.text}`;
}

/** Draws edits as hunks, each with the name of what it is a part of, and a line around it. */
function renderEdits(source: string, edits: readonly Edit[]): string[] {
  const before = source.split('\n');
  return hunksOf(source, spring(source, edits), 1).flatMap(({ start, lines }) => {
    const first = lines.findIndex((line) => line !== ' ');
    return [`@@ ${placeOf(before, start - 1 + first)} @@`, ...lines.filter((line) => line !== ' ')];
  });
}

/** The function, or the class and its method, that a line of source is in. */
function placeOf(lines: readonly string[], at: number): string {
  const nameIn = (part: readonly string[], pattern: RegExp) =>
    part.flatMap((line) => pattern.exec(line)?.[1] ?? []).at(-1) ?? '';
  const above = lines.slice(0, at + 1);
  const outer = nameIn(above, /^(?:export )?(?:function|class|interface|const) (\w+)/);
  const top = above.findLastIndex((line) => /^\S/.test(line));
  if (!/^(?:export )?class/.test(above[top] ?? '')) return outer;
  const inner = nameIn(above.slice(top), /^ {2}(?:get )?(#?\w+)\(/);
  return inner ? `${outer}.${inner}` : outer;
}

// ── The table ───────────────────────────────────────────────────────────────────────────────────

/** What the test of a trap tells the table. */
export interface Row {
  readonly id: string;
  /** Where it has to be caught, such as `02.3`. */
  readonly wanted: string;
  /** Where it was caught. `undefined`: nowhere. */
  readonly caught: string | undefined;
  readonly seconds: number;
}

declare module 'vitest' {
  interface TaskMeta {
    row?: Row;
  }
}

/** The Vitest reporter that draws the table, a line for each trap when it has run. */
export default class Table implements Reporter {
  readonly #started = performance.now();
  #rows = 0;

  onTestRunStart(): void {
    console.log(`  ${'trap'.padEnd(36)}${'has to be'.padEnd(11)}${'caught at'.padEnd(11)}seconds`);
  }

  onTestCaseResult(test: TestCase): void {
    const { row } = test.meta();
    if (!row) return;
    this.#rows++;
    const { id, wanted, caught = 'nowhere', seconds } = row;
    const mark = test.ok() ? style.green('✓') : style.red('✗');
    const time = seconds.toFixed(2).padStart(7);
    console.log(`${mark} ${id.padEnd(36)}${wanted.padEnd(11)}${caught.padEnd(11)}${time}`);
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly { message: string }[]): void {
    const failed = modules.flatMap((module) => [...module.children.allTests('failed')]);
    const complaints = [
      ...modules.flatMap((module) => module.errors().map(({ message }) => message)),
      ...failed.map((test) => `${test.name}: ${test.result().errors?.[0]?.message}`),
      ...errors.map(({ message }) => message),
    ];
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    const wrong = failed.filter((test) => test.meta().row).length;
    const verdict =
      wrong === 0
        ? 'each caught where it has to be'
        : `${wrong} of them not caught where they have to be`;
    console.log('');
    for (const complaint of complaints) {
      console.log(wrap(`✗ ${complaint}`, 80, '  ').slice(0, 5).join('\n'));
    }
    console.log(`${this.#rows} traps, ${verdict}, in ${seconds} seconds.`);
  }
}
