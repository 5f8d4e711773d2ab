/** A copy of the project in a temporary folder, to run its commands in as a learner does. */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileOf, LESSONS, type Lesson, ROOT } from '../../shared/lessons.ts';
import { makeStub } from '../../shared/stub.ts';

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly code: number | null;
  /** Both streams, as they came, without colour. */
  readonly output: string;
}

export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'websocket-101-'));

  /** Copies the project, with every lesson a stub again. */
  constructor() {
    for (const name of [
      'lessons',
      'solutions',
      'shared',
      'test',
      'package.json',
      'tsconfig.json',
    ]) {
      cpSync(join(ROOT, name), join(this.folder, name), { recursive: true });
    }
    cpSync(join(ROOT, 'vitest.config.ts'), join(this.folder, 'vitest.config.ts'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.folder, 'node_modules'), 'junction');
    for (const lesson of LESSONS) {
      this.write(
        fileOf({ side: 'lessons', lesson }),
        makeStub(this.solution(lesson), lesson.number),
      );
    }
  }

  /** Reads the reference of a lesson. */
  solution(lesson: Lesson): string {
    return this.read(fileOf({ side: 'solutions', lesson }));
  }

  /** Puts the reference in the place of a lesson's stub. `number` has two digits. */
  solve(number: string): void {
    for (const lesson of LESSONS.filter((it) => it.number === number)) {
      this.write(fileOf({ side: 'lessons', lesson }), this.solution(lesson));
    }
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), 'utf8');
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
  }

  /** Runs one of the course's commands, such as `test`, to its end. */
  run(command: string, ...args: string[]): Promise<Outcome> {
    const script = join(this.folder, 'shared', 'commands', `${command}.ts`);
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], {
      cwd: this.folder,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, output }));
    });
  }

  /** Removes the folder. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
