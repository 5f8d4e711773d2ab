/** The functions, methods and values of a source, each with what it does, whatever its style. */
import { parseAst } from 'rolldown/parseAst';

/** A function, a method, the fields of a class, or a value with a name. */
export interface Part {
  /** Such as `decodeHeader`, `FrameReader.read`, or `FrameReader` for its fields. */
  readonly name: string;
  /** Its lines, without the doc comment. */
  readonly lines: readonly string[];
  /** The number of its first line, from 1. */
  readonly line: number;
  /**
   * The same for two parts that differ in nothing but style: layout, comments, types, names of
   * parameters and variables, the wording of errors. A name that the file has given to something
   * of its own is `"own NAME"` in it. Fields have a line each.
   */
  readonly meaning: string;
}

/** A part of a syntax tree. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value;

/** Imports, and what only the type checker reads. */
const NOT_COMPARED = /^(Import|Export|TSInterface|TSTypeAlias)/;
/** An expression with something for the type checker beside it. */
const TYPED = /^TS(As|NonNull|Satisfies|Instantiation)\w*Expression$|^TSTypeAssertion$/;
const FUNCTION = /^(ArrowFunctionExpression|Function(Declaration|Expression))$/;
/** The fields of a tree that have no say in what a program does. */
const STYLE =
  /^(start|end|raw|type(Annotation|Parameters|Arguments)|returnType|superTypeArguments|readonly|accessibility|declare|definite|decorators|override|implements|shorthand)$/;

/** What a file calls its own: it could have any other name. */
interface Own {
  /** Functions, classes and values of the module. */
  readonly names: ReadonlySet<string>;
  /** The class that a part is in, for its private members. Empty: it is in none. */
  readonly className: string;
  /** Members that are private for the type checker only. */
  readonly members: ReadonlySet<string>;
}

/** Takes a source apart, in its order. Throws `SyntaxError` when it does not parse. */
export function partsOf(source: string): Part[] {
  const program = parseAst(source, { lang: 'ts' }) as unknown as { body: readonly Node[] };
  const statements = program.body
    .map((statement) => ({
      statement,
      node: isNode(statement.declaration) ? statement.declaration : statement,
    }))
    .filter(({ node }) => !NOT_COMPARED.test(node.type));
  const names = new Set(statements.flatMap(({ node }) => namesOf(node)));
  const own = { names, className: '', members: new Set<string>() };
  return statements.flatMap(({ statement, node }) => {
    if (node.type === 'ClassDeclaration') return partsOfClass(source, node, names);
    const [declared, ...more] = (node.declarations as readonly Node[] | undefined) ?? [];
    const value = more.length === 0 ? declared?.init : undefined;
    const meant = isNode(value) ? value : node;
    return [partOf(source, namesOf(node).join(', ') || 'the rest', [statement], meant, own)];
  });
}

/** The names that a statement declares. */
function namesOf(node: Node): string[] {
  const declared = (node.declarations as readonly Node[] | undefined) ?? [];
  return [node, ...declared].flatMap(({ id }) =>
    isNode(id) && id.type === 'Identifier' ? [String(id.name)] : [],
  );
}

/** Takes a class apart: each method by itself, and all of its fields. */
function partsOfClass(source: string, { id, body }: Node, names: ReadonlySet<string>): Part[] {
  const className = isNode(id) ? String(id.name) : 'class';
  const members = (body as Node & { body: readonly Node[] }).body;
  const hidden = members.filter(({ accessibility }) => accessibility === 'private');
  const own = {
    names,
    className,
    members: new Set(hidden.map(({ key }) => writtenName(key as Node))),
  };
  const isMethod = ({ value }: Node) => isNode(value) && FUNCTION.test(value.type);
  const methods = members.filter(isMethod).map((member) => {
    const { start, end } = member.key as Node;
    const accessor = /^[gs]et$/.test(String(member.kind)) ? `${member.kind} ` : '';
    const called = `${accessor}${className}.${source.slice(start, end)}`;
    return partOf(source, called, [member], member.value, own);
  });
  const fields = members.filter((member) => !isMethod(member));
  return fields.length > 0 ? [partOf(source, className, fields, fields, own), ...methods] : methods;
}

function partOf(
  source: string,
  name: string,
  nodes: readonly Node[],
  meant: unknown,
  own: Own,
): Part {
  const lines = nodes.flatMap(({ start, end }) =>
    source.slice(source.lastIndexOf('\n', start) + 1, end).split('\n'),
  );
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const indent = Math.min(...indents);
  return {
    name,
    lines: lines.map((line) => line.slice(indent)),
    line: source.slice(0, nodes[0]?.start).split('\n').length,
    meaning: [meant]
      .flat()
      .map((one) => JSON.stringify(normal(one, { locals: localsOf(one), own })))
      .join('\n'),
  };
}

/** What the names in a part are. */
interface Scope {
  /** Parameters and variables, each with its number. */
  readonly locals: ReadonlyMap<string, string>;
  readonly own: Own;
}

/** Leaves out of a tree what is style. */
function normal(value: unknown, scope: Scope): unknown {
  const of = (inner: unknown) => normal(inner, scope);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return value.map(of);
  if (!isNode(value)) return value;
  const { type, computed, key, property, body } = value;
  if (TYPED.test(type)) return of(value.expression);
  if (type === 'Identifier') return variableName(String(value.name), scope);
  if (FUNCTION.test(type)) {
    const isBlock = isNode(body) && body.type === 'BlockStatement';
    const does = isBlock ? of(body) : { type: 'ReturnStatement', argument: of(body) };
    return {
      type: 'Function',
      kind: [value.async, value.generator],
      params: of(value.params),
      does,
    };
  }
  if (type === 'BlockStatement') {
    const [only, ...more] = body as readonly Node[];
    // Around one statement, braces are style.
    return only && more.length === 0 && !/Declaration$/.test(only.type) ? of(only) : of(body);
  }
  if (type === 'TemplateLiteral' && (value.expressions as []).length === 0) {
    const [text] = value.quasis as [{ value: { cooked: string } }];
    return { type: 'Literal', value: text.value.cooked };
  }
  const fields = Object.entries(value)
    .filter(
      ([field]) => !STYLE.test(field) && !(type === 'VariableDeclaration' && field === 'kind'),
    )
    .map(([field, inner]) => [field, of(inner)]);
  const tree = Object.fromEntries(fields);
  // A name behind a dot, or before a colon, is not that of a variable.
  if (isNode(property) && !computed) {
    const isMine = isNode(value.object) && value.object.type === 'ThisExpression';
    tree.property = memberName(property, isMine, scope);
  }
  if (isNode(key) && !computed) {
    tree.key = memberName(key, type === 'PropertyDefinition', scope);
  }
  if (type === 'NewExpression' && /Error$/.test(String(tree.callee))) {
    tree.arguments = (value.arguments as readonly Node[]).map((it) =>
      isWording(it) ? '…' : of(it),
    );
  }
  return tree;
}

function variableName(name: string, { locals, own }: Scope): string {
  return locals.get(name) ?? (own.names.has(name) ? `own ${name}` : name);
}

/** The name of a member, which is the class's own if it is private. */
function memberName(name: Node, isOfThisClass: boolean, { own }: Scope): string {
  const written = writtenName(name);
  const isOwn = name.type === 'PrivateIdentifier' || (isOfThisClass && own.members.has(written));
  return isOwn ? `own ${own.className}.${written}` : written;
}

/** The name behind a dot or before a colon. In quotes, it is the same. */
function writtenName({ type, name, value }: Node): string {
  return `${type === 'PrivateIdentifier' ? '#' : ''}${name ?? value}`;
}

/** Whether it is a text for people, and not a section or a name. */
function isWording({ type, value }: Node): boolean {
  return type === 'TemplateLiteral' || (typeof value === 'string' && value.includes(' '));
}

/** Finds the names that a tree declares, and gives each its number for a name. */
function localsOf(tree: unknown): Map<string, string> {
  const locals = new Map<string, string>();
  const bind = (pattern: unknown): void => {
    if (Array.isArray(pattern)) for (const item of pattern) bind(item);
    if (!isNode(pattern)) return;
    const { type, name, properties, elements, value, left, argument } = pattern;
    if (type === 'Identifier' && !locals.has(String(name))) {
      locals.set(String(name), `local ${locals.size + 1}`);
    }
    for (const inner of [properties, elements, value, left, argument]) bind(inner);
  };
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item);
    if (!isNode(value)) return;
    // The name of the part itself is how it is found, and no local.
    if (FUNCTION.test(value.type)) bind([value === tree ? null : value.id, value.params]);
    if (value.type === 'VariableDeclarator') bind(value.id);
    if (value.type === 'CatchClause') bind(value.param);
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(tree);
  return locals;
}
