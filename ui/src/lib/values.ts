/** The values that a namespace gives its flows, as the expressions that read them. */

export interface Variable {
  /** The names that lead to it, joined by dots. */
  readonly name: string;
  readonly value: string;
  readonly expression: string;
}

/** The variables of a namespace, one entry for each value however deep it lies. */
export function variablesOf(variables: Readonly<Record<string, unknown>>, above: readonly string[] = []): Variable[] {
  return Object.entries(variables).flatMap(([name, value]) => {
    const path = [...above, name];
    if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) return variablesOf(value as Record<string, unknown>, path);
    return [{ name: path.join("."), value: typeof value === "string" ? value : JSON.stringify(value), expression: `{{ namespace${path.map(step).join("")} }}` }];
  });
}

export function keyExpression(key: string): string {
  return `{{ kv('${key}') }}`;
}

export function secretExpression(name: string): string {
  return `{{ secret('${name}') }}`;
}

/** A name as a step of an expression: in brackets when it is no plain word. */
function step(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `['${name}']`;
}
