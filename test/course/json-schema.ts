/** As much of JSON Schema as our own schema uses. */

/** A schema, or a part of one. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** Lists where a value is not what a schema says. A field that it does not know is a fault here. */
export function faultsOf(value: unknown, part: Schema, whole: Schema = part, at = ''): string[] {
  if (part.$ref) {
    const name = part.$ref.replace('#/$defs/', '');
    return faultsOf(value, whole.$defs?.[name] ?? { enum: [] }, whole, at);
  }
  if ('const' in part && value !== part.const) return [`${at}: ${value}`];
  if (part.enum && !part.enum.includes(value)) return [`${at}: ${value}`];
  if (part.type && ![part.type].flat().includes(typeOf(value))) return [`${at}: ${value}`];
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => faultsOf(item, part.items ?? {}, whole, `${at}/${i}`));
  }
  if (typeOf(value) !== 'object') return [];
  const fields = Object.entries(value as object);
  const lacking = (part.required ?? []).filter((name) => !(name in (value as object)));
  return [
    ...lacking.map((name) => `${at}: lacks ${name}`),
    ...fields.flatMap(([name, field]) => {
      const known = part.properties?.[name];
      return known ? faultsOf(field, known, whole, `${at}/${name}`) : [`${at}: has ${name}`];
    }),
  ];
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
