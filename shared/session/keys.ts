/** The keys of a terminal, as it sends them. */

export const CTRL_C = '\u0003';
export const ENTER = '\r';
export const UP = '\u001b[A';
export const DOWN = '\u001b[B';
export const PAGE_UP = '\u001b[5~';
export const PAGE_DOWN = '\u001b[6~';
export const HOME = '\u001b[H';
export const END = '\u001b[F';

/** What some terminals send for the same key. */
const SAME: Readonly<Record<string, string>> = {
  '\u001bOA': UP,
  '\u001bOB': DOWN,
  '\u001bOH': HOME,
  '\u001b[1~': HOME,
  '\u001b[7~': HOME,
  '\u001bOF': END,
  '\u001b[4~': END,
  '\u001b[8~': END,
};

/** Asks a terminal to say where pasted text begins and ends, and to leave that again. */
export const MARK_PASTES = { on: '\u001b[?2004h', off: '\u001b[?2004l' };
const PASTE = '\u001b[200~';
const PASTE_END = '\u001b[201~';

/** Finds the keys in what a terminal sends. What is pasted is text, and no keys. */
export class Keyboard {
  #isPasting = false;
  /** The last characters of a paste: they may be the start of its end. */
  #rest = '';

  /** Takes the text of one read. Returns the keys that were pressed. Ctrl-C is always one. */
  read(text: string): string[] {
    const typed = this.#withoutPastes(text);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters.
    const found = typed.match(/\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])|[\s\S]/g) ?? [];
    const keys = found.map((key) => SAME[key] ?? key);
    // Nobody presses different keys at once: this is a paste, and the terminal does not say so.
    const isPaste = new Set(keys.filter((key) => key.length === 1)).size > 1;
    return isPaste ? keys.filter((key) => key === CTRL_C) : keys;
  }

  #withoutPastes(text: string): string {
    if (this.#isPasting) {
      const pasted = this.#rest + text;
      const end = pasted.indexOf(PASTE_END);
      this.#rest = pasted.slice(1 - PASTE_END.length);
      if (end === -1) return text.includes(CTRL_C) ? CTRL_C : '';
      this.#isPasting = false;
      return this.#withoutPastes(pasted.slice(end + PASTE_END.length));
    }
    const start = text.indexOf(PASTE);
    if (start === -1) return text;
    this.#isPasting = true;
    this.#rest = '';
    return text.slice(0, start) + this.#withoutPastes(text.slice(start + PASTE.length));
  }
}
