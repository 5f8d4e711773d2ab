/** What can be done to a browser: the page of lesson 05 is used by nobody's hands. */
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { count } from '../view/count.ts';
import type { Remote, Scene } from './scene.ts';

/** What is typed, and has to come back. */
const TEXT = '你好，世界';

/** How often it is looked whether the page has come so far, in milliseconds. */
const LOOK_MS = 50;
/** How often at most. */
const MAX_LOOKS = 400;

/** The size of the picture, in pixels. */
const SCREEN = { width: 1280, height: 960, deviceScaleFactor: 1, mobile: false };

/** Waits until an expression is true on the page. */
async function until(page: Remote, expression: string): Promise<void> {
  for (let looks = 0; !(await page.evaluate(expression)); looks++) {
    if (looks === MAX_LOOKS) throw new Error(`It never came true on the page: ${expression}`);
    await pause(LOOK_MS);
  }
}

/** Clicks where an element is, as a mouse does. */
async function click(page: Remote, selector: string): Promise<void> {
  const place = (await page.evaluate(`(() => {
    const element = document.querySelector(${JSON.stringify(selector)});
    element.scrollIntoView({ block: 'center' });
    const { left, top, width, height } = element.getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  })()`)) as { x: number; y: number };
  const mouse = { ...place, button: 'left', clickCount: 1 };
  await page.request('Input.dispatchMouseEvent', { type: 'mousePressed', ...mouse });
  await page.request('Input.dispatchMouseEvent', { type: 'mouseReleased', ...mouse });
}

/** The scenes, with the page of lesson 05 at `url`. The picture goes into the file at `path`. */
export function chromiumTour(url: string, path: string): readonly Scene[] {
  return [
    {
      title: 'It opens the page of lesson 05',
      play: async (page) => {
        await page.request('Page.enable');
        await page.request('Emulation.setDeviceMetricsOverride', SCREEN);
        await page.request('Page.navigate', { url });
        await page.next('Page.loadEventFired');
        const sign = await page.evaluate("document.querySelector('#driven').innerText");
        return `The page is there, and says: ${sign}`;
      },
    },
    {
      title: 'It clicks on Connect: the page opens a WebSocket to your server',
      play: async (page) => {
        await click(page, '#connect-button');
        await until(page, "document.querySelector('#state').dataset.state === '1'");
        return 'The page says OPEN.';
      },
    },
    {
      title: `It types ${TEXT}, and presses Enter`,
      play: async (page) => {
        await page.evaluate("document.querySelector('#text').focus()");
        await page.evaluate("document.querySelector('#text').select()");
        await page.request('Input.insertText', { text: TEXT });
        const enter = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' };
        await page.request('Input.dispatchKeyEvent', { type: 'keyDown', ...enter });
        await page.request('Input.dispatchKeyEvent', { type: 'keyUp', ...enter });
        const entry = `[...document.querySelectorAll('#log [data-kind="message"]')].at(-1)`;
        await until(page, `${entry}?.innerText.includes(${JSON.stringify(TEXT)}) ?? false`);
        return `The echo is on the page: ${TEXT}`;
      },
    },
    {
      title: 'It takes a picture',
      play: async (page) => {
        await page.evaluate('scrollTo(0, 0)');
        const { data } = await page.request('Page.captureScreenshot', { format: 'png' });
        const picture = Buffer.from(data, 'base64');
        writeFileSync(path, picture);
        return `A picture of ${count(picture.length, 'byte')}: ${path}`;
      },
    },
  ];
}
