/** What a person does on the page of `npm run serve`. */
import type { Page } from './browser.ts';

/** A line of the page's log. */
export interface Entry {
  readonly kind: string;
  readonly text: string;
  readonly details: string;
}

/** A tab with the page in it, and what a person does there. */
export class Visit {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async connect(): Promise<void> {
    await this.page.click('#connect button');
    await this.page.until(`document.querySelector('#state').dataset.state === '1'`);
  }

  /** Connects to a chat room. */
  async join(room: string, name: string): Promise<void> {
    await this.page.click('[value="/chat"]');
    await this.page.type('#room', room);
    await this.page.type('#name', name);
    await this.connect();
    await this.heard(`· ${name} has joined`);
  }

  async send(text: string): Promise<void> {
    await this.page.type('#text', text);
    await this.page.press('Enter');
  }

  async close(code: string, reason: string): Promise<void> {
    await this.page.type('#code', code);
    await this.page.type('#reason', reason);
    await this.page.click('#close button');
  }

  /** Waits for a message that starts like this. */
  async heard(text: string): Promise<Entry> {
    const [found] = await this.logged('message', text);
    return found!;
  }

  /** Waits for entries of a kind, and returns them. */
  async logged(kind: string, text = ''): Promise<Entry[]> {
    const isIt = ({ kind: other, text: said }: Entry) => other === kind && said.startsWith(text);
    for (;;) {
      const count = await this.page.evaluate<number>('log.childElementCount');
      const found = (await this.log()).filter(isIt);
      if (found.length > 0) return found;
      await this.page.until(`log.childElementCount > ${count}`);
    }
  }

  log(): Promise<Entry[]> {
    return this.page.evaluate(`[...log.children].map((entry) => ({
      kind: entry.dataset.kind,
      text: entry.querySelector('.said').textContent,
      details: entry.querySelector('.details')?.textContent ?? '',
    }))`);
  }

  /** Waits until the wire shows a text, and returns all that it shows. */
  async wire(text: string): Promise<string> {
    await this.page.until(`wire.innerText.includes(${JSON.stringify(text)})`);
    return this.page.evaluate('wire.innerText');
  }
}

/** An expression for every element with text of its own and too little contrast to its background. */
export const FAINT = `{
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const luminance = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
      const part = byte / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return color === 'rgba(0, 0, 0, 0)' ? background(element.parentElement) : color;
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  [...document.body.querySelectorAll('*')]
    .filter((element) => element.matches('input') || hasText(element))
    .map((element) => {
      const pair = [getComputedStyle(element).color, background(element)].map(luminance);
      const [dark, light] = pair.sort((a, b) => a - b);
      return [(light + 0.05) / (dark + 0.05), element.outerHTML];
    })
    .filter(([contrast]) => contrast < 4.5);
}`;
