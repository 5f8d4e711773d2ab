/** `npm start` at a terminal: the current lesson, checked on every save. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { renderDiff } from '../course/diff.ts';
import { countHints, renderHint } from '../course/hints.ts';
import { fileOf, LESSONS, type Lesson, ROOT, type Target, UsageError } from '../course/lessons.ts';
import { resetLesson } from '../course/reset.ts';
import { type Complaint, typeErrors } from '../course/typecheck.ts';
import type { Run } from '../harness/record.ts';
import { renderBroken, renderRun } from '../harness/report.ts';
import { type Checker, prepare } from '../harness/supervise.ts';
import { columns, style } from '../view/style.ts';
import { pad } from '../view/width.ts';
import { wrap } from '../view/wrap.ts';
import { CTRL_C, DOWN, ENTER, PAGE_DOWN, PAGE_UP, UP } from './keys.ts';
import { currentLesson, type Progress, renderMap, standing, sum } from './progress.ts';
import type { Terminal } from './terminal.ts';
import { watchFile } from './watcher.ts';

/** What the screen shows: the steps, or something laid over them until the next key. */
type View =
  | { readonly type: 'steps' }
  | { readonly type: 'page'; readonly lines: readonly string[] }
  | { readonly type: 'question'; readonly text: string; readonly yes: () => void };

const HELP = 'h hint  n next  l list  d diff  r reset  q quit';

/** One learner at one terminal, from start to quit. */
export class Session {
  readonly #terminal: Terminal;
  #progress: Progress[];
  #lesson: Lesson;
  #view: View = { type: 'steps' };
  #scroll = 0;
  /** What the last run found. `undefined`: the first one is still on. */
  #run: Run | undefined;
  /** What the type checker says of it. `undefined`: it is still on. */
  #types: readonly Complaint[] | undefined;
  #note = '';
  #checking = false;
  /** Counts the runs, so that what an older one finds comes to nothing. */
  #generation = 0;
  #running: Checker | undefined;
  /** Waits, with everything loaded, for the next save. */
  #waiting: Checker | undefined;
  #stopWatching = () => {};
  /** How many hints have been shown of each step, such as `02.4`. */
  readonly #hints = new Map<string, number>();
  #finish = () => {};

  /** Makes a session that begins with `lesson`. */
  constructor(terminal: Terminal, progress: readonly Progress[], lesson: Lesson) {
    this.#terminal = terminal;
    this.#progress = [...progress];
    this.#lesson = lesson;
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
    this.#open(this.#lesson);
    try {
      await finished;
    } finally {
      this.#stop();
      this.#terminal.close();
    }
  }

  get #target(): Target {
    return { side: 'lessons', lesson: this.#lesson };
  }

  #open(lesson: Lesson): void {
    this.#stop();
    this.#lesson = lesson;
    this.#run = undefined;
    this.#show({ type: 'steps' });
    this.#stopWatching = watchFile(join(ROOT, fileOf(this.#target)), () => void this.#check());
    void this.#check();
  }

  #stop(): void {
    this.#generation++;
    this.#stopWatching();
    this.#running?.stop();
    this.#waiting?.stop();
    this.#waiting = undefined;
  }

  /** Checks the lesson. A save during a run ends that run and starts anew: none is lost. */
  async #check(): Promise<void> {
    const generation = ++this.#generation;
    const target = this.#target;
    this.#running?.stop();
    if (!existsSync(join(ROOT, fileOf(target)))) {
      this.#note = `${fileOf(target)} is missing. Press r for a fresh one.`;
      this.#draw();
      return;
    }
    this.#checking = true;
    this.#draw();
    this.#running = this.#waiting ?? prepare(target);
    this.#waiting = undefined;
    const run = await this.#running.run();
    if (generation !== this.#generation) return;

    this.#run = run;
    this.#types = undefined;
    this.#checking = false;
    this.#remember(run);
    if (this.#view.type === 'steps') this.#scroll = 0;
    this.#draw();
    this.#waiting = prepare(target);
    // The type checker would take the processor from the steps: it comes after them.
    const complaints = await typeErrors(target);
    if (generation !== this.#generation) return;
    this.#types = complaints;
    this.#draw();
  }

  #remember({ results }: Run): void {
    this.#progress = this.#progress.map((item) =>
      item.lesson === this.#lesson ? { ...item, ...standing(results) } : item,
    );
  }

  #press(key: string): void {
    this.#note = '';
    try {
      if (key === CTRL_C) this.#finish();
      else if (this.#view.type === 'question') this.#answer(key, this.#view);
      else if (this.#commands[key]) this.#commands[key]();
      else if (this.#view.type === 'page') this.#leavePage(key);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#note = error.message;
    }
    this.#draw();
  }

  readonly #commands: Readonly<Record<string, () => void>> = {
    q: () => this.#finish(),
    h: () => this.#hint(),
    n: () => this.#next(),
    l: () => this.#list(),
    d: () => this.#diff(),
    r: () => {
      const text = `Start lesson ${this.#lesson.number} afresh? Your file is kept beside it.`;
      this.#show({ type: 'question', text, yes: () => this.#reset() });
    },
    [ENTER]: () => {
      if (this.#view.type === 'steps') void this.#check();
      this.#show({ type: 'steps' });
    },
    [UP]: () => this.#move(-1),
    [DOWN]: () => this.#move(1),
    k: () => this.#move(-1),
    j: () => this.#move(1),
    [PAGE_UP]: () => this.#move(5 - this.#terminal.rows),
    [PAGE_DOWN]: () => this.#move(this.#terminal.rows - 5),
  };

  #answer(key: string, { yes }: { readonly yes: () => void }): void {
    this.#show({ type: 'steps' });
    if (key === 'y' || key === 'Y') yes();
  }

  #leavePage(key: string): void {
    const chosen = LESSONS[Number(key) - 1];
    if (chosen) this.#open(chosen);
    else this.#show({ type: 'steps' });
  }

  #move(lines: number): void {
    this.#scroll += lines;
  }

  #show(view: View): void {
    this.#view = view;
    this.#scroll = 0;
  }

  #hint(): void {
    const step = this.#run?.results.find(({ failure }) => failure)?.number;
    if (step === undefined) {
      this.#note = 'Nothing to hint at: every step holds.';
      return;
    }
    const id = `${this.#lesson.number}.${step}`;
    const count = countHints(this.#lesson, step);
    const number = Math.min((this.#hints.get(id) ?? 0) + 1, count);
    this.#hints.set(id, number);
    const more = number < count ? 'h: the next hint. ' : '';
    const lines = renderHint(this.#lesson, step, number, columns());
    this.#show({ type: 'page', lines: [...lines, '', `${more}Any other key: back to the steps.`] });
  }

  #list(): void {
    const lines = renderMap(this.#progress, this.#lesson, columns());
    const keys = `1 to ${LESSONS.length}: go to that lesson. Any other key: back to the steps.`;
    this.#show({ type: 'page', lines: [...lines, '', keys] });
  }

  /** Goes on to the lesson after this one; from the last, to the first that is not finished. */
  #next(): void {
    const open = currentLesson(this.#progress)?.lesson;
    const lesson = LESSONS[LESSONS.indexOf(this.#lesson) + 1] ?? open ?? this.#lesson;
    if (lesson !== this.#lesson) this.#open(lesson);
    else this.#note = open ? 'This is the last lesson.' : 'The course is done.';
  }

  #diff(): void {
    const show = () => {
      const lines = renderDiff(this.#lesson, columns());
      this.#show({ type: 'page', lines: [...lines, '', 'Any key: back to the steps.'] });
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
    if (this.#view.type === 'page') return this.#view.lines;
    if (!this.#run) return [`Checking ${fileOf(this.#target)} …`];
    const { broken, results } = this.#run;
    return broken
      ? renderBroken(this.#target, broken, width)
      : renderRun(this.#target, results, this.#types, width, rows);
  }

  #draw(): void {
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
    const course = `course ${sum(this.#progress, 'done')}/${sum(this.#progress, 'total')}`;
    const busy = this.#checking ? 'checking …' : `watching ${this.#lesson.file}`;
    const status = pad(` ${busy}`, width - course.length - 1) + course;
    const text = this.#view.type === 'question' ? `${this.#view.text} [y/N]` : this.#note || HELP;
    const lines = wrap(text, width - 1).map((line) => ` ${line}`);
    return ['─'.repeat(width), style.dim(status), ...lines];
  }
}
