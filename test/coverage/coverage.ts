/** Which step checks which rule, and which trap proves it. */
import { LESSONS, type Lesson } from '../../shared/course/lessons.ts';
import { type AnySpec, loadSpec, rulesOf } from '../../shared/harness/spec.ts';
import { style } from '../../shared/view/style.ts';
import { clip, pad } from '../../shared/view/width.ts';
import { wrap } from '../../shared/view/wrap.ts';
import { REASONS, REQUIREMENTS, type Requirement, UNPROVEN } from '../rules/requirements.ts';
import { TRAPS } from '../traps/traps.ts';

/** A rule that a lesson teaches. */
export interface Claim {
  readonly rule: Requirement;
  /** The steps of the lesson that claim it, such as `01.3`. None: that is a fault. */
  readonly steps: readonly string[];
  /** The ids of the traps that break it and are caught at one of these steps. */
  readonly traps: readonly string[];
  /** Why there are no traps. `undefined`: there are, or nobody says why. */
  readonly why: string | undefined;
}

/** The rules of one lesson. */
export interface Coverage {
  readonly lesson: Lesson;
  readonly claims: readonly Claim[];
}

/** Reads the rules of every lesson, and who claims them. */
export function readCoverage(): Promise<Coverage[]> {
  return Promise.all(
    LESSONS.map(async (lesson) => ({
      lesson,
      claims: claimsOf(lesson, await loadSpec(lesson.name)),
    })),
  );
}

/** Finds who claims the rules of a lesson, and what proves that. */
function claimsOf({ number }: Lesson, { steps }: AnySpec): Claim[] {
  const nameOf = (step: number) => `${number}.${step}`;
  return REQUIREMENTS.filter(({ lessons }) => lessons.includes(number)).map((rule) => {
    const claiming = steps
      .map((step, i) => (rulesOf(step).includes(rule.number) ? nameOf(i + 1) : ''))
      .filter((name) => name !== '');
    const proving = (TRAPS[number] ?? []).filter(
      ({ step, rules }) => rules.includes(rule.number) && claiming.includes(nameOf(step)),
    );
    const unproven = UNPROVEN.find((it) => it.lesson === number && it.number === rule.number);
    return { rule, steps: claiming, traps: proving.map(({ id }) => id), why: unproven?.why };
  });
}

/** Returns the rules that a lesson teaches and no step of it claims. */
export function unclaimed(coverage: readonly Coverage[]): Claim[] {
  return coverage.flatMap(({ claims }) => claims.filter(({ steps }) => steps.length === 0));
}

/**
 * Draws the rules of every lesson, then the figures, then the rules that are open. No line is wider
 * than `width` columns.
 */
export function renderCoverage(coverage: readonly Coverage[], width: number): string[] {
  const open = REQUIREMENTS.filter((rule) => rule.open);
  const reasons = Object.entries(REASONS).map(([reason, why]) => {
    const rules = open.filter((rule) => rule.open === reason);
    return ['', ...wrap(why, width), ...rules.flatMap((rule) => renderRule(' ', rule, width))];
  });
  const legend = `${MARKS.proven} claimed, and a trap proves it   ${MARKS.claimed} claimed   ${MARKS.missing} not claimed`;
  return [
    style.bold(`${REQUIREMENTS.length} rules, and the steps that claim them`),
    ...wrap(legend, width),
    ...coverage.flatMap(({ lesson, claims }) => [
      '',
      style.bold(`${lesson.number} ${lesson.title}`),
      '',
      ...claims.flatMap((claim) => renderClaim(claim, width)),
    ]),
    '',
    ...renderFigures(coverage, width),
    '',
    style.bold(`${open.length} rules that these lessons leave open`),
    ...reasons.flat(),
  ];
}

const MARKS = { proven: '✓', claimed: '·', missing: '✗' } as const;

/** Where the words of a rule begin. */
const INDENT = ' '.repeat(23);

function renderClaim({ rule, steps, traps, why = '' }: Claim, width: number): string[] {
  if (steps.length === 0) {
    const lines = [...renderRule(MARKS.missing, rule, width), `${INDENT}No step claims it.`];
    return lines.map((line) => style.red(line));
  }
  const mark = traps.length > 0 ? style.green(MARKS.proven) : MARKS.claimed;
  const proof = `${steps.join(' ')}  ${traps.join(', ') || why}`.trimEnd();
  const lines = wrap(INDENT + proof, width, INDENT);
  return [...renderRule(mark, rule, width), ...lines.map((line) => style.dim(line))];
}

function renderRule(mark: string, { number, section, level, text }: Requirement, width: number) {
  const place = /^\d/.test(section) ? `§${section}` : section;
  const start = ` ${String(number).padStart(3)} ${place.padEnd(9)} ${level.padEnd(6)} `;
  return wrap(` ${start}${text}`, width, INDENT).map((line, i) =>
    i === 0 ? mark + line.slice(1) : line,
  );
}

function renderFigures(coverage: readonly Coverage[], width: number): string[] {
  const room = Math.min(30, width - 24);
  const line = (name: string, ...columns: readonly (string | number)[]) =>
    pad(clip(name, room), room) + columns.map((column) => String(column).padStart(8)).join('');
  const count = (claims: readonly Claim[]) => new Set(claims.map(({ rule }) => rule.number)).size;
  const figures = (name: string, claims: readonly Claim[]) =>
    line(
      name,
      count(claims),
      count(claims.filter(({ steps }) => steps.length > 0)),
      count(claims.filter(({ traps }) => traps.length > 0)),
    );
  return [
    line('', 'rules', 'claimed', 'proven'),
    ...coverage.map(({ lesson, claims }) => figures(`${lesson.number} ${lesson.title}`, claims)),
    figures(
      'each rule once',
      coverage.flatMap(({ claims }) => claims),
    ),
  ];
}
