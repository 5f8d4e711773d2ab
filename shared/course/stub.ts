/** Stubs: what a lesson starts from, made out of its solution. */
import { parseAst } from 'rolldown/parseAst';

/** The parts of a syntax tree that matter here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}
interface Statement extends Node {
  readonly declaration?: Declaration | null;
}
interface Declaration extends Node {
  readonly body?: Node & { readonly body: readonly Member[] };
  /** What a class extends. */
  readonly superClass?: Node | null;
}
interface Member extends Node {
  readonly kind?: string;
  readonly override?: boolean;
  readonly key?: { readonly type: string; readonly name?: string };
  readonly value?: {
    readonly params?: readonly Parameter[];
    readonly body?: Node & { readonly body?: readonly Action[] };
  };
}
/** `left` is there when it has a default. */
interface Parameter {
  readonly name?: string;
  readonly left?: Parameter;
}
/** A statement of a function; of a call, what is called and with what. */
interface Action {
  readonly expression?: {
    readonly callee?: { readonly type: string };
    readonly arguments?: readonly Node[];
  };
}

/** A stretch of the source, and what a stub has in its place. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The step that the learner writes here. `undefined`: private, nothing of it is in the stub. */
  readonly step?: number;
}

/**
 * Makes the stub of a solution: imports, exported types, constants and public fields as they are;
 * exported functions and public methods with their doc comments and signatures, their bodies replaced by
 * a `Todo` that names lesson and step; nothing of what is private. A method that overrides another
 * calls that. A stub's stub is itself.
 *
 * Throws `SyntaxError` when the source does not parse, and `Error` when a function has no
 * `Step N` in its doc comment, nor its class in its own.
 */
export function makeStub(source: string, lesson: string): string {
  return importTodo(apply(source, findReplacements(source, lesson)));
}

/** Makes what a learner has who has done the steps up to `step`: the later bodies are a `Todo`. */
export function makePartial(source: string, lesson: string, step: number): string {
  const later = findReplacements(source, lesson).filter((found) => (found.step ?? 0) > step);
  return importTodo(apply(source, later));
}

function apply(source: string, replacements: readonly Replacement[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text } of replacements) {
    result += source.slice(at, start) + text;
    at = end;
  }
  return result + source.slice(at);
}

function importTodo(source: string): string {
  const line = "import { Todo } from '../../shared/todo.ts';\n";
  if (source.includes(line)) return source;
  const protocol = "from '../../shared/protocol.ts';\n";
  return source.replace(protocol, protocol + line);
}

/** Finds, from top to bottom, what a stub does not show. */
function findReplacements(source: string, lesson: string): Replacement[] {
  const replacements: Replacement[] = [];
  const program = parseAst(source, { lang: 'ts' }) as unknown as { body: readonly Statement[] };
  let previousEnd = 0;
  for (const statement of program.body) {
    const { type, declaration, start, end } = statement;
    const comment = source.slice(previousEnd, start);
    if (declaration?.type === 'FunctionDeclaration' && declaration.body) {
      replacements.push(todo(lesson, stepOf(comment), declaration.body));
    } else if (declaration?.type === 'ClassDeclaration' && declaration.body) {
      replacements.push(...replacementsIn(source, lesson, declaration, comment));
    } else if (!declaration && type !== 'ImportDeclaration') {
      replacements.push({ start: previousEnd, end, text: '' });
    }
    previousEnd = end;
  }
  return replacements;
}

function replacementsIn(
  source: string,
  lesson: string,
  { body, superClass }: Declaration,
  classComment: string,
): Replacement[] {
  if (!body) return [];
  const replacements: Replacement[] = [];
  let previousEnd = body.start + 1;
  let first = true;
  for (const member of body.body) {
    const { type, key, value, start, end } = member;
    const comment = source.slice(previousEnd, start);
    const isField = type === 'PropertyDefinition';
    if (key?.type === 'PrivateIdentifier' || !(isField || value?.body)) {
      replacements.push({ start: previousEnd, end, text: '' });
    } else {
      // The first one that stays follows the brace, without an empty line.
      if (first)
        replacements.push({
          start: previousEnd,
          end: start - comment.trimStart().length,
          text: '\n  ',
        });
      first = false;
      const step = stepOf(comment) ?? stepOf(classComment);
      if (value?.body && !isField) {
        const write = (line: string) => linesOf(member, Boolean(superClass), line);
        replacements.push(todo(lesson, step, value.body, '  ', write));
      }
    }
    previousEnd = end;
  }
  return replacements;
}

/**
 * The lines of a method: the `Todo`, with what has to be before it, or in its place. A method that
 * overrides another does what that does, until it's written.
 */
function linesOf({ kind, override, key, value }: Member, isDerived: boolean, line: string) {
  const names = value?.params?.map((param) => (param.left ?? param).name) ?? [];
  if (override) return [`return super.${key?.name}(${names.join(', ')});`];
  if (kind !== 'constructor' || !isDerived) return [line];
  // Without a call of `super`, with as many arguments as in the solution, that is an error of its own.
  const calls = value?.body?.body?.map(({ expression }) => expression) ?? [];
  const given = calls.find((call) => call?.callee?.type === 'Super')?.arguments ?? [];
  return [`super(${names.slice(0, given.length).join(', ')});`, line];
}

function todo(
  lesson: string,
  step: number | undefined,
  { start, end }: Node,
  indent = '',
  write = (line: string) => [line],
): Replacement {
  if (step === undefined) throw new Error(`A function in lesson ${lesson} names no step.`);
  const lines = write(`throw new Todo('${lesson}.${step}');`);
  const text = `{\n${lines.map((line) => `${indent}  ${line}\n`).join('')}${indent}}`;
  return { start, end, text, step };
}

/** The first step that a comment names, such as 6 for `Steps 6–8`. */
function stepOf(comment: string): number | undefined {
  const digits = /\bSteps? (\d+)/.exec(comment)?.[1];
  return digits ? Number(digits) : undefined;
}
