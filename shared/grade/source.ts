/** What a source has to do with the world around it, told by its syntax. */
import { parseSync } from 'rolldown/utils';

/** Something in a source, and the line it is on. Lines count from 1. */
export interface Mention {
  readonly name: string;
  readonly line: number;
}

/** What a source imports, uses and exports. Nothing is in a list twice. */
export interface Source {
  /** What it imports, as it names it, in its order: types alone load nothing, and are left out. */
  readonly imports: readonly Mention[];
  /** Where it loads or makes code that nobody can read here, such as `eval`, and what it takes of Node. */
  readonly uses: readonly Mention[];
  /** The names of what it exports. */
  readonly exports: readonly string[];
  /** Where it takes all that it exports from with `export *`, as it names it. */
  readonly reexports: readonly string[];
}

/** A part of a syntax tree. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly [field: string]: unknown;
}

/** What leads out of a module: to code made of text, and to all that Node has. */
const GLOBALS = new Set(
  'eval Function process global globalThis require fetch WebSocket EventSource BroadcastChannel'.split(
    ' ',
  ),
);
/** What only the type checker reads. */
const TYPES = /^(type(Annotation|Parameters|Arguments)|returnType|superTypeArguments|implements)$/;
/** A name that is not that of a variable: behind a dot, before a colon, of a label. */
const NAME_ALONE = /^(property|key|label|imported|exported|meta)$/;
const IMPORT = /^(Import(Declaration|Expression)|Export(All|Named)Declaration)$/;

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value;

/** Reads a source that parses. Of one that does not, what could be read. */
export function readSource(text: string): Source {
  const { program, comments } = parseSync('lesson.ts', text);
  const imports: Node[] = [];
  const exports: string[] = [];
  const names: Node[] = [];
  const declared = new Set<string>();
  visit(program, (node) => {
    if (IMPORT.test(node.type) && isNode(node.source)) imports.push(node);
    if (/^Export/.test(node.type)) exports.push(...exportedBy(node));
    for (const name of bindingsOf(node)) declared.add(name);
    if (node.type === 'Identifier') names.push(node);
  });
  const at = ({ start }: { readonly start: number }) => text.slice(0, start).split('\n').length;
  const loaded = imports.filter(({ importKind = 'value', exportKind = 'value' }) =>
    [importKind, exportKind].every((kind) => kind === 'value'),
  );
  const used = names.filter(({ name }) => GLOBALS.has(`${name}`) && !declared.has(`${name}`));
  const unchecked = comments.filter(({ value }) => /^\s*@ts-nocheck\b/.test(value));
  return {
    imports: loaded.map((node) => ({ name: specifierOf(node), line: at(node) })),
    uses: [
      ...used.map((node) => ({ name: `${node.name}`, line: at(node) })),
      ...unchecked.map((comment) => ({ name: '@ts-nocheck', line: at(comment) })),
    ],
    exports: exports.filter((name) => name !== ''),
    reexports: loaded.filter(({ type }) => type === 'ExportAllDeclaration').map(specifierOf),
  };
}

/** What an import names. `import()`: that is computed. */
function specifierOf({ source }: Node): string {
  const { value } = source as Node;
  return typeof value === 'string' ? value : 'import()';
}

/** The names that a statement exports; of `export *`, nobody can say. */
function exportedBy({ type, declaration, specifiers }: Node): string[] {
  if (type !== 'ExportNamedDeclaration') return [];
  const listed = (specifiers as readonly Node[]).map(({ exported }) => nameOf(exported));
  const declarations = isNode(declaration)
    ? ((declaration.declarations as readonly Node[] | undefined) ?? [declaration])
    : [];
  return [...listed, ...declarations.map(({ id }) => nameOf(id))];
}

const nameOf = (value: unknown) => (isNode(value) ? `${value.name ?? value.value ?? ''}` : '');

/** The names that a part of a tree gives a meaning, wherever that is: it may be called `process`. */
function bindingsOf({ type, id, params, param, local }: Node): string[] {
  if (/^(VariableDeclarator|Function|Class|TSEnum)/.test(type)) {
    return [id, params].flatMap(namesIn);
  }
  if (/^(ArrowFunction|CatchClause)/.test(type)) return [params, param].flatMap(namesIn);
  return /^Import\w*Specifier$/.test(type) ? namesIn(local) : [];
}

/** The names in a pattern, such as that of a parameter. */
function namesIn(pattern: unknown): string[] {
  if (Array.isArray(pattern)) return pattern.flatMap(namesIn);
  if (!isNode(pattern)) return [];
  const { type, name, properties, elements, value, left, argument } = pattern;
  if (type === 'Identifier') return [`${name}`];
  return [properties, elements, value, left, argument].flatMap(namesIn);
}

/**
 * Shows each part of a tree that runs; a name that is only exported does not. A member of
 * `globalThis` is shown instead of that.
 */
function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, see);
  if (!isNode(value) || /^(TS(Interface|TypeAlias)|ExportSpecifier$)/.test(value.type)) return;
  const { type, object, property, computed } = value;
  if (type === 'MemberExpression' && nameOf(object) === 'globalThis' && !computed) {
    visit(property, see);
    return;
  }
  see(value);
  for (const [field, inner] of Object.entries(value)) {
    const isName = NAME_ALONE.test(field) && !computed;
    if (!isName && !TYPES.test(field)) visit(inner, see);
  }
}
