/** Stubs: what a lesson starts from, made out of its solution. */
import { parseAst } from 'vitest/node';

/** The parts of a syntax tree that a stub is made of. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}
interface Declaration extends Node {
  readonly body?: { readonly start: number; readonly body: readonly Member[] };
}
interface TopLevel extends Node {
  readonly declaration?: Declaration | null;
}
interface Member extends Node {
  readonly key?: { readonly type: string };
  readonly value?: { readonly body: Node };
}

/**
 * Makes the stub of a solution: imports, exported types and constants as they are; exported
 * functions and public methods with their doc comments and signatures, their bodies replaced by
 * a `Todo` that names lesson and step; nothing of what is private. A stub's stub is itself.
 *
 * Throws `SyntaxError` when the source does not parse, and `Error` when a function has no
 * `Step N` in its doc comment, nor its class in its own.
 */
export function makeStub(source: string, lesson: string): string {
  const program = parseAst(source, { lang: 'ts' }) as unknown as { body: readonly TopLevel[] };
  const parts: string[] = [];
  let previousEnd = 0;
  for (const node of program.body) {
    const comment = source.slice(previousEnd, node.start).trim();
    previousEnd = node.end;
    if (node.type === 'ImportDeclaration') {
      const text = source.slice(node.start, node.end);
      if (!text.includes('/todo.ts')) parts.push(text);
    } else if (node.declaration) {
      if (parts.every((part) => part.startsWith('import'))) parts.push(TODO_IMPORT);
      const code = stubDeclaration(source, node, node.declaration, comment, lesson);
      parts.push(`\n${comment ? `${comment}\n` : ''}${code}`);
    }
  }
  return `${parts.join('\n')}\n`;
}

const TODO_IMPORT = "import { Todo } from '../../shared/todo.ts';";

function stubDeclaration(
  source: string,
  node: Node,
  declaration: Declaration,
  comment: string,
  lesson: string,
): string {
  const { type, body } = declaration;
  if (body && type === 'FunctionDeclaration') {
    const step = stepOf(comment) ?? noStep(source, node);
    return `${source.slice(node.start, body.start)}${todo(lesson, step, '')}`;
  }
  if (body && type === 'ClassDeclaration') {
    const members: string[] = [];
    let previousEnd = body.start + 1;
    for (const member of body.body) {
      const own = source.slice(previousEnd, member.start).trim();
      previousEnd = member.end;
      if (member.key?.type === 'PrivateIdentifier' || !member.value?.body) continue;
      const step = stepOf(own) ?? stepOf(comment) ?? noStep(source, member);
      const signature = source.slice(member.start, member.value.body.start);
      members.push(`${own ? `  ${own}\n` : ''}  ${signature}${todo(lesson, step, '  ')}`);
    }
    return `${source.slice(node.start, body.start)}{\n${members.join('\n\n')}\n}`;
  }
  return source.slice(node.start, node.end);
}

function todo(lesson: string, step: number, indent: string): string {
  return `{\n${indent}  throw new Todo('${lesson}.${step}');\n${indent}}`;
}

/** The first step that a doc comment names, such as 6 for `Steps 6–8`. */
function stepOf(comment: string): number | undefined {
  const digits = /\bSteps? (\d+)/.exec(comment)?.[1];
  return digits ? Number(digits) : undefined;
}

function noStep(source: string, node: Node): never {
  const line = source.slice(node.start, source.indexOf('\n', node.start));
  throw new Error(`The doc comment names no step: ${line}`);
}
