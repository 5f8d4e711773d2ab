/** Which part of one file is which of another, whatever their names. */
import type { Part } from './parts.ts';

/** A part as it is in both files. `undefined`: it is in one of them only. */
export interface Pair {
  readonly yours: Part | undefined;
  readonly reference: Part | undefined;
  /** Whether they differ in nothing but style. */
  readonly isSame: boolean;
}

/** Pairs the parts of two files, in the order of the reference; those of yours alone come last. */
export function pairsOf(yours: readonly Part[], reference: readonly Part[]): Pair[] {
  const names = findNames(yours, reference);
  const rest = new Map(yours.map((part) => [rename(part.name, names), part]));
  const pairs = reference.map((part) => {
    const mine = rest.get(part.name);
    rest.delete(part.name);
    const isSame = mine !== undefined && linesOf(mine, names) === linesOf(part, new Map());
    return { yours: mine, reference: part, isSame };
  });
  return [
    ...pairs,
    ...Array.from(rest.values(), (part) => ({ yours: part, reference: undefined, isSame: false })),
  ];
}

/** What a part means, by other names. The order of fields is style. */
function linesOf({ meaning }: Part, names: ReadonlyMap<string, string>): string {
  const renamed = meaning.replace(OWN, (_, name: string) => `"own ${names.get(name) ?? name}"`);
  return renamed.split('\n').toSorted().join('\n');
}

const OWN = /"own ([^"]+)"/g;

const ownNames = ({ meaning }: Part) => Array.from(meaning.matchAll(OWN), ([, name = '']) => name);

/** The same for two parts that differ in their own names at most. */
const shapeOf = ({ meaning }: Part) => meaning.replace(OWN, '"own"');

/** Whether others can call a member: then its name is not style. */
const isPublic = ({ name }: Part) => /\.[^#]/.test(name);

/** The name of a part, by which a class or what is in it goes in the other file. */
function rename(name: string, names: ReadonlyMap<string, string>): string {
  const [, accessor = '', path = ''] = /^([gs]et )?(.*)$/.exec(name) ?? [];
  const [className = '', member] = path.split('.');
  const other = names.get(className) ?? className;
  return accessor + (names.get(path) ?? (member === undefined ? other : `${other}.${member}`));
}

/**
 * Finds what has one name in yours, and another in the reference: parts of the same shape use the
 * same things in the same order. No name gets two others, and no two get the same one.
 */
function findNames(yours: readonly Part[], reference: readonly Part[]): Map<string, string> {
  const names = new Map<string, string>();
  const inYours = new Set(yours.flatMap((part) => [part.name, ...ownNames(part)]));
  const inReference = new Set(reference.flatMap((part) => [part.name, ...ownNames(part)]));
  const add = (name: string, other: string) => {
    if (inReference.has(name) || inYours.has(other)) return;
    if (names.has(name) || [...names.values()].includes(other)) return;
    names.set(name, other);
  };
  const partner = (part: Part) => {
    const name = rename(part.name, names);
    const alike = (other: Part) =>
      ![part, other].some(isPublic) && !inYours.has(other.name) && shapeOf(other) === shapeOf(part);
    return reference.find((other) => other.name === name) ?? reference.find(alike);
  };
  for (let before = -1; before < names.size; ) {
    before = names.size;
    for (const part of yours) {
      const other = partner(part);
      if (other === undefined || shapeOf(other) !== shapeOf(part)) continue;
      add(part.name, other.name);
      const others = ownNames(other);
      for (const [i, name] of ownNames(part).entries()) add(name, others[i] ?? name);
    }
  }
  return names;
}
