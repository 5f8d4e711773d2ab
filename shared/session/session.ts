/** `npm start` at a terminal: the current lesson, checked on every save. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { renderDiff } from '../course/diff.ts';
import { countHints, renderHint } from '../course/hints.ts';
import { fileOf, LESSONS, type Lesson, ROOT, type Target, UsageError } from '../course/lessons.ts';
import { resetLesson } from '../course/reset.ts';
import { requireSolution } from '../course/solution.ts';
import { type Complaint, typeErrors } from '../course/typecheck.ts';
import type { Run } from '../harness/record.ts';
import { renderBroken, renderRun, stepToTell } from '../harness/report.ts';
import { type Checker, prepare } from '../harness/supervise.ts';
import { endChildren } from '../process/children.ts';
import { columns, style } from '../view/style.ts';
import { pad } from '../view/width.ts';
import { wrap } from '../view/wrap.ts';
import { CTRL_C, DOWN, END, ENTER, HOME, PAGE_DOWN, PAGE_UP, UP } from './keys.ts';
import { countSteps, type Progress, progressIn, readProgress, renderMap } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { watchFile } from './watcher.ts';

/** What keys do. */
type Keys = Readonly<Record<string, () => void>>;

/** What is laid over the steps until a key that it has no use for. */
interface Page {
  readonly type: 'page';
  readonly lines: () => readonly string[];
  /** What can be pressed here, and what the footer says of it. */
  readonly keys: Keys;
  readonly help: string;
  /** The step that it is about. Once that passes, nobody needs the page. */
  readonly step?: number;
}

/** What the screen shows. */
type View =
  | { readonly type: 'steps' }
  | Page
  | { readonly type: 'question'; readonly text: string; readonly yes: () => void };

const HELP = 'h hint  n next lesson  p previous  l list  d diff  r reset  q quit';
const BACK = 'Any other key: back to the steps.';

/** One learner at one terminal, from start to quit. */
export class Session {
  readonly #terminal: Terminal;
  readonly #read: (lesson: Lesson) => Promise<Progress>;
  readonly #course = new Map<Lesson, Progress>();
  #lesson: Lesson;
  #view: View = { type: 'steps' };
  #scroll = 0;
  /** What the last run found. `undefined`: the first one is still on. */
  #run: Run | undefined;
  /** What the type checker says of it. `undefined`: it is still on. */
  #types: readonly Complaint[] | undefined;
  #note = '';
  #isMissing = false;
  #checking = false;
  /** Counts the runs, so that what an older one finds comes to nothing. */
  #generation = 0;
  #running: Checker | undefined;
  /** Waits, with everything loaded, for the next save. */
  #waiting: Checker | undefined;
  /** How many hints have been shown of each step, such as `02.4`. */
  readonly #hints = new Map<string, number>();
  #isOver = false;
  #finish = () => {};

  /** Makes a session that begins with `lesson`. `read` says how far each of the others is. */
  constructor(terminal: Terminal, lesson: Lesson, read = readProgress) {
    this.#terminal = terminal;
    this.#lesson = lesson;
    this.#read = read;
  }

  /** Takes over the terminal until the learner quits. */
  async run(): Promise<void> {
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    this.#terminal.open(
      (key) => this.#press(key),
      () => this.#draw(),
    );
    const watches = LESSONS.map((lesson) =>
      watchFile(join(ROOT, fileOf({ side: 'lessons', lesson })), () => this.#saved(lesson)),
    );
    void this.#open(this.#lesson).then(() => this.#readOthers());
    try {
      await finished;
    } finally {
      this.#isOver = true;
      for (const stop of watches) stop();
      this.#stop();
      endChildren();
      this.#terminal.close();
    }
  }

  /** Checks the other lessons, one after the other, so that the map fills in. */
  async #readOthers(): Promise<void> {
    for (const lesson of LESSONS.filter((lesson) => !this.#course.has(lesson))) {
      if (this.#isOver) return;
      const progress = await this.#read(lesson);
      // It may have been opened meanwhile: then more is known.
      if (!this.#course.has(lesson)) this.#course.set(lesson, progress);
      this.#draw();
    }
  }

  /** A file has been saved: its lesson is the one that the learner is at. */
  #saved(lesson: Lesson): void {
    // What `r` has to say is about the file that it has just written.
    if (!this.#checking) this.#note = '';
    if (lesson === this.#lesson) void this.#check();
    else if (existsSync(join(ROOT, fileOf({ side: 'lessons', lesson })))) void this.#open(lesson);
  }

  get #target(): Target {
    return { side: 'lessons', lesson: this.#lesson };
  }

  /** Goes to a lesson. Resolves when it has been checked. */
  #open(lesson: Lesson): Promise<void> {
    this.#stop();
    this.#lesson = lesson;
    this.#run = undefined;
    this.#show({ type: 'steps' });
    return this.#check();
  }

  #stop(): void {
    this.#generation++;
    this.#running?.stop();
    this.#waiting?.stop();
    this.#waiting = undefined;
  }

  /** Checks the lesson. A save during a run ends that run and starts again: none is lost. */
  async #check(): Promise<void> {
    const generation = ++this.#generation;
    const target = this.#target;
    this.#running?.stop();
    this.#isMissing = !existsSync(join(ROOT, fileOf(target)));
    this.#checking = !this.#isMissing;
    this.#draw();
    if (this.#isMissing) return;
    this.#running = this.#waiting ?? prepare(target);
    this.#waiting = undefined;
    const run = await this.#running.run();
    if (generation !== this.#generation) return;

    this.#run = run;
    this.#types = undefined;
    this.#checking = false;
    this.#take(run);
    this.#draw();
    this.#waiting = prepare(target);
    // The type checker would take the processor from the steps: it comes after them.
    const complaints = await typeErrors(target);
    if (generation !== this.#generation) return;
    this.#types = complaints;
    this.#draw();
  }

  #take({ results }: Run): void {
    if (results.length > 0) this.#course.set(this.#lesson, progressIn(results));
    const step = this.#view.type === 'page' ? this.#view.step : undefined;
    const passes = results.some(({ number, failure }) => number === step && !failure);
    if (passes) this.#show({ type: 'steps' });
    if (this.#view.type === 'steps') this.#scroll = 0;
  }

  #press(key: string): void {
    const view = this.#view;
    this.#note = '';
    try {
      if (key === CTRL_C) this.#finish();
      else if (view.type === 'question') this.#answer(key, view);
      else if (this.#scrolling[key]) this.#scrolling[key]();
      else if (view.type === 'steps') this.#commands[key]?.();
      else if (view.keys[key]) view.keys[key]();
      else this.#show({ type: 'steps' });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#note = error.message;
    }
    this.#draw();
  }

  readonly #commands: Keys = {
    q: () => this.#finish(),
    h: () => this.#hint(),
    n: () => this.#go(1, 'This is the last lesson.'),
    p: () => this.#go(-1, 'This is the first lesson.'),
    l: () => this.#list(),
    d: () => this.#diff(),
    r: () => {
      const text = `Start lesson ${this.#lesson.number} afresh? Your file is kept beside it.`;
      this.#show({ type: 'question', text, yes: () => this.#reset() });
    },
    [ENTER]: () => void this.#check(),
  };

  readonly #scrolling: Keys = {
    [UP]: () => this.#move(-1),
    [DOWN]: () => this.#move(1),
    k: () => this.#move(-1),
    j: () => this.#move(1),
    [PAGE_UP]: () => this.#move(5 - this.#terminal.rows),
    [PAGE_DOWN]: () => this.#move(this.#terminal.rows - 5),
    [HOME]: () => this.#move(Number.NEGATIVE_INFINITY),
    [END]: () => this.#move(Number.POSITIVE_INFINITY),
  };

  #answer(key: string, { yes }: { readonly yes: () => void }): void {
    this.#show({ type: 'steps' });
    if (key === 'y' || key === 'Y') yes();
  }

  #move(lines: number): void {
    this.#scroll += lines;
  }

  #show(view: View): void {
    this.#view = view;
    this.#scroll = 0;
  }

  #hint(): void {
    const step = stepToTell(this.#run?.results ?? [])?.number;
    if (step === undefined) {
      this.#note = 'Nothing to hint at: every step passes.';
      return;
    }
    const id = `${this.#lesson.number}.${step}`;
    const count = countHints(this.#lesson, step);
    const number = Math.min((this.#hints.get(id) ?? 0) + 1, count);
    this.#hints.set(id, number);
    const hasMore = number < count;
    const lines = renderHint(this.#lesson, step, number, columns());
    this.#show({
      type: 'page',
      lines: () => lines,
      keys: hasMore ? { h: () => this.#hint() } : {},
      help: hasMore ? `h: the next hint. ${BACK}` : BACK,
      step,
    });
  }

  #list(): void {
    const keys = LESSONS.map((lesson, i) => [String(i + 1), () => void this.#open(lesson)]);
    this.#show({
      type: 'page',
      lines: () => renderMap(this.#course, this.#lesson, columns()),
      keys: Object.fromEntries(keys),
      help: `1 to ${LESSONS.length}: go to that lesson. ${BACK}`,
    });
  }

  /** Goes some lessons further, or says why not. */
  #go(by: number, otherwise: string): void {
    const lesson = LESSONS[LESSONS.indexOf(this.#lesson) + by];
    if (lesson) void this.#open(lesson);
    else this.#note = otherwise;
  }

  #diff(): void {
    requireSolution(this.#lesson);
    const show = () => {
      const lines = renderDiff(this.#lesson, columns());
      this.#show({
        type: 'page',
        lines: () => lines,
        keys: {},
        help: 'Any key: back to the steps.',
      });
    };
    const open = this.#run?.broken ?? this.#run?.results.find(({ failure }) => failure);
    const text = `Lesson ${this.#lesson.number} is not finished. Show the reference anyway?`;
    if (this.#run && !open) show();
    else this.#show({ type: 'question', text, yes: show });
  }

  #reset(): void {
    this.#note = resetLesson(this.#lesson);
    void this.#check();
  }

  #content(width: number, rows: number): readonly string[] {
    if (this.#view.type === 'page') return this.#view.lines();
    if (!this.#run) {
      const map = renderMap(this.#course, this.#lesson, width);
      return this.#isMissing ? map : [...map, '', `Checking ${fileOf(this.#target)} …`];
    }
    const { broken, results } = this.#run;
    return broken
      ? renderBroken(this.#target, broken, width)
      : renderRun(this.#target, results, this.#types, width, rows);
  }

  #draw(): void {
    if (this.#isOver) return;
    const width = columns();
    const footer = this.#footer(width);
    const room = Math.max(1, this.#terminal.rows - footer.length);
    const content = this.#content(width, room);
    this.#scroll = Math.max(0, Math.min(this.#scroll, content.length - room));
    const lines = content.slice(this.#scroll, this.#scroll + room);
    while (lines.length < room) lines.push('');
    if (content.length > room) footer[0] = `── ↑ ↓ for the rest ${footer[0]?.slice(20) ?? ''}`;
    this.#terminal.draw([...lines, ...footer]);
  }

  #footer(width: number): string[] {
    const course = `course ${countSteps(this.#course)}`;
    const status = pad(` ${this.#status()}`, width - course.length - 1) + course;
    const lines = wrap(this.#advice(), width - 1).map((line) => ` ${line}`);
    return ['─'.repeat(width), style.dim(status), ...lines];
  }

  /** What is going on. The type errors are below the steps, where they may not be seen. */
  #status(): string {
    if (this.#checking) return 'checking …';
    const count = this.#types?.length ?? 0;
    const errors = count === 0 ? '' : ` · ${count} type error${count === 1 ? '' : 's'} (End)`;
    return `watching ${this.#lesson.file}${errors}`;
  }

  /** What there is to know now, or else to press. */
  #advice(): string {
    if (this.#view.type === 'question') return `${this.#view.text} [y/N]`;
    if (this.#note) return this.#note;
    if (this.#view.type === 'page') return this.#view.help;
    return this.#isMissing ? `${fileOf(this.#target)} is missing. Press r for a fresh one.` : HELP;
  }
}
