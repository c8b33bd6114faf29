/** Log lines with the colours that terminals read, as pieces of text that each have one look. */

export interface Piece {
  readonly text: string;
  readonly colour?: Colour;
  readonly bold?: boolean;
  readonly faint?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
}

/** The eight colours of terminals; the bright ones are shown like the others. */
export const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
export type Colour = (typeof COLOURS)[number];

type Look = Omit<Piece, "text">;

// eslint-disable-next-line no-control-regex -- the escape character is what is looked for
const SEQUENCE = /\u001b\[([0-9;]*)([A-Za-z])/g;

/** The pieces of a message; codes that are not about looks are left out. */
export function pieces(message: string): Piece[] {
  const found: Piece[] = [];
  let look: Look = {};
  let from = 0;
  for (const match of message.matchAll(SEQUENCE)) {
    add(found, message.slice(from, match.index), look);
    from = match.index + match[0].length;
    if (match[2] === "m") look = changed(look, (match[1] ?? "").split(";").map(Number));
  }
  add(found, message.slice(from), look);
  return found;
}

function add(found: Piece[], text: string, look: Look): void {
  if (text !== "") found.push({ text, ...look });
}

function changed(look: Look, codes: readonly number[]): Look {
  let next = look;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      // A colour of a larger palette: its numbers are passed over, the text keeps the usual colour.
      at += codes[at + 1] === 2 ? 4 : 2;
      continue;
    }
    next = applied(next, code);
  }
  return next;
}

function applied(look: Look, code: number): Look {
  if (code === 0) return {};
  if (code === 1) return { ...look, bold: true };
  if (code === 2) return { ...look, faint: true };
  if (code === 3) return { ...look, italic: true };
  if (code === 4) return { ...look, underline: true };
  if (code === 22) return { ...look, bold: undefined, faint: undefined };
  if (code === 23) return { ...look, italic: undefined };
  if (code === 24) return { ...look, underline: undefined };
  if (code === 39) return { ...look, colour: undefined };
  if (code === 90) return { ...look, colour: undefined, faint: true };
  const colour = COLOURS[code >= 90 && code <= 97 ? code - 90 : code - 30];
  return colour && ((code >= 30 && code <= 37) || code > 90) ? { ...look, colour } : look;
}
