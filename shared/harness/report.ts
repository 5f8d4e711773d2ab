/** How a run is told to the person at the terminal. */
import { fileOf, LESSONS, type Target } from '../course/lessons.ts';
import { cite } from '../course/sections.ts';
import { hasSolution } from '../course/solution.ts';
import type { Complaint } from '../course/typecheck.ts';
import { columns, style } from '../view/style.ts';
import { labelTable } from '../view/table.ts';
import { pad } from '../view/width.ts';
import { drawStream } from '../view/wire.ts';
import { wrap } from '../view/wrap.ts';
import type { Failure, StepResult } from './facts.ts';

/** How many lines of what a step printed are shown. */
const MAX_PRINTED_LINES = 10;
/** How many type errors are shown. The others often follow from them. */
const MAX_COMPLAINTS = 8;

/** Writes why a file could not be loaded, and what to do. */
export function renderBroken({ lesson }: Target, failure: Failure, width = columns()): string[] {
  const {
    what,
    remedy = `Fix it, or get a fresh one and keep yours: npm run reset ${lesson.number}`,
  } = failure;
  return [
    ...wrap(`${style.red('✗')} ${what}`, width),
    ...indent([...details(failure, width - 2), ...wrap(remedy, width - 2)], 2),
  ];
}

/**
 * Returns the step to go on with: the first that is begun and does not pass, or else the first that
 * is yours to write. Whoever begins in the middle works on that one. `undefined`: they all pass.
 */
export function stepToTell(results: readonly StepResult[]): StepResult | undefined {
  const open = results.filter(({ failure }) => failure);
  return open.find(({ failure }) => failure?.kind !== 'todo') ?? open[0];
}

/**
 * Writes the steps, one line each, and the one to go on with in full; then the complaints of the
 * type checker, which are `undefined` until they are known. When the steps take more than `rows`
 * lines, those before and after the one that is told share a line each.
 */
export function renderRun(
  target: Target,
  results: readonly StepResult[],
  complaints: readonly Complaint[] | undefined,
  width = columns(),
  rows = Number.POSITIVE_INFINITY,
): string[] {
  const done = results.filter(({ failure }) => !failure).length;
  const told = stepToTell(results);
  const at = told ? results.indexOf(told) : results.length;
  const before = results.slice(0, at);
  const after = results.slice(at + 1);
  const line = (result: StepResult) => stepLine(result, width);
  const list = (part: readonly StepResult[]) =>
    part.flatMap((result) => [line(result), ...printed(result.output, width)]);

  const top = [heading(target, done, results.length, width), ''];
  const middle = told
    ? [...list([told]), '', ...indent(explanation(told, target, width - 4), 4), '']
    : [];
  const isDone = done === results.length && complaints?.length === 0;
  const bottom = [
    '',
    ...wrap(verdict(target, done, results.length, complaints), width),
    ...(isDone && target.side === 'lessons' ? ['', ...whatNext(target, width)] : []),
  ];
  // What the steps after it have printed would only bury it.
  const whole = [...top, ...list(before), ...middle, ...after.map(line), ...bottom];
  const types = typeErrors(target, complaints ?? [], width);
  if (whole.length <= rows) return [...whole, ...types];
  return [...top, ...summary(before), ...middle, ...summary(after), ...bottom.slice(1), ...types];
}

/** Several steps in one line: which they are, and how many of them pass. */
function summary(part: readonly StepResult[]): string[] {
  const [first, last] = [part[0], part.at(-1)];
  if (!first || !last) return [];
  const numbers = first === last ? `step ${first.number}` : `steps ${first.number}–${last.number}`;
  const done = part.filter(({ failure }) => !failure).length;
  if (done === part.length) {
    return [style.green(` ✓ ${numbers} ${pass(part.length)}`)];
  }
  return [` · ${numbers}${done > 0 ? `, of which ${done} ${pass(done)}` : ' to come'}`];
}

function pass(count: number): string {
  return count === 1 ? 'passes' : 'pass';
}

function heading({ side, lesson }: Target, done: number, total: number, width: number): string {
  const title = `${lesson.number} ${lesson.title}${side === 'solutions' ? ' (reference)' : ''}`;
  const bar = `${'█'.repeat(done)}${'░'.repeat(total - done)}  ${done}/${total}`;
  return style.bold(pad(title, width - bar.length - 1) + bar);
}

function stepLine({ number, title, section, failure }: StepResult, width: number): string {
  const mark = !failure ? style.green('✓') : failure.kind === 'todo' ? '·' : style.red('✗');
  const where = section.replace(/^(?=\d)/, '§');
  const name = pad(`${String(number).padEnd(2)} ${title}`, width - 4 - where.length);
  return ` ${mark} ${failure ? name : style.green(name)}${style.dim(where)}`;
}

/** Writes what a step printed, without anything that could move the cursor. */
function printed(output: string, width: number): string[] {
  if (output === '') return [];
  const lines = output
    .trimEnd()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes.
    .replace(/\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]/g, '')
    .split('\n')
    .flatMap((line) => wrap(line, width - 7));
  const shown = lines.slice(0, MAX_PRINTED_LINES);
  if (lines.length > shown.length) shown.push('… and more');
  return shown.map((line) => style.dim(`     │ ${line}`));
}

/** Tells in full why a step does not pass: what, with which bytes, and where to read on. */
export function explanation(
  result: StepResult,
  { lesson }: Target,
  width = columns() - 4,
): string[] {
  const { number, section, failure } = result;
  if (!failure) return [];
  const pointers = [
    `Read      lessons/${lesson.name}/README.md, step ${number}`,
    `Hint      npm run hint ${lesson.number}.${number}`,
    `Standard  ${cite(failure.section ?? section)}`,
  ];
  const why = failure.kind === 'todo' ? [''] : details(failure, width);
  if (failure.kind === 'todo') pointers.unshift(`Code      ${failure.facts[0]?.[1]}`);
  return [
    ...whichScenario(result, width),
    ...wrap(sentenceOf(failure), width),
    ...why,
    ...pointers.flatMap((line) => wrap(line, width, ' '.repeat(10))),
  ];
}

/** Names the scenario that is told, where there are several, and says how many pass. */
function whichScenario({ scenarios, passed, failure }: StepResult, width: number): string[] {
  if (!failure?.scenario || failure.kind === 'todo' || scenarios === 1) return [];
  const count = passed === undefined ? '' : `${passed} of ${scenarios} scenarios ${pass(passed)}. `;
  const isSaid = sentenceOf(failure).startsWith(bare(failure.scenario));
  const name = isSaid ? '' : ` ${failure.scenario}`;
  return wrap(`${count}The first that fails:${name}`, width).map((line) => style.dim(line));
}

/** What should have been so: in the words of the scenario, where those say it and more. */
function sentenceOf({ scenario, what }: Failure): string {
  const saysMore = scenario?.startsWith(bare(what)) || scenario?.endsWith(what);
  return scenario !== undefined && saysMore ? scenario : what;
}

function bare(sentence: string): string {
  return sentence.replace(/\.$/, '');
}

/** The bytes that arrived are drawn, the other facts are beside their labels. */
function details({ facts, cause }: Failure, width: number): string[] {
  const lines: string[] = [''];
  const plain = facts.filter((fact): fact is [string, string] => typeof fact[1] === 'string');
  for (const [label, value] of facts) {
    if (typeof value !== 'string')
      lines.push(`${label}:`, '', ...indent(drawStream(value, width - 2), 2), '');
  }
  if (plain.length > 0) lines.push(...labelTable(plain, width), '');
  if (cause) lines.push(...wrap(cause, width).map((line) => style.yellow(line)), '');
  return lines;
}

function verdict(
  { side, lesson }: Target,
  done: number,
  total: number,
  complaints: readonly Complaint[] | undefined,
): string {
  if (done < total) return `${done} of ${total} steps ${pass(done)}.`;
  const all = `All ${total} steps pass`;
  if (!complaints) return `${all}. The types are still being checked.`;
  if (complaints.length > 0) return `${all}, but the types do not yet.`;
  if (side === 'solutions') return `${all}.`;
  const last = lesson === LESSONS.at(-1) ? ' It was the last.' : '';
  return `${all}: lesson ${lesson.number} is done. ${lesson.gain}${last}`;
}

/** Where to go when a lesson is done. */
function whatNext({ lesson }: Target, width: number): string[] {
  const next = LESSONS[LESSONS.indexOf(lesson) + 1];
  // In a handout, there is no reference to fill in, and none to compare with.
  const hasReference = hasSolution(lesson);
  const { command = 'npm run serve, with what the README says about the browser' } = lesson;
  return [
    ...(hasReference || lesson.needs ? [`Try it   ${command}`] : []),
    ...(hasReference ? [`Compare  npm run diff ${lesson.number}`] : []),
    ...(next ? [`Next     lessons/${next.name}/README.md`] : []),
  ].flatMap((line) => wrap(line, width, ' '.repeat(9)));
}

/** Writes the complaints of the type checker about a target's folder. */
function typeErrors(target: Target, complaints: readonly Complaint[], width: number): string[] {
  if (complaints.length === 0) return [];
  const count = complaints.length === 1 ? 'One type error' : `${complaints.length} type errors`;
  const lines = complaints
    .slice(0, MAX_COMPLAINTS)
    .flatMap(({ place, text }) => [place, ...indent(wrap(text, width - 4), 2)]);
  const more = complaints.length - MAX_COMPLAINTS;
  if (more > 0) lines.push(`… and ${more} more`);
  return ['', `${style.red('✗')} ${count} in ${fileOf(target)}:`, '', ...indent(lines, 2)];
}

function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => (line ? ' '.repeat(by) + line : ''));
}
