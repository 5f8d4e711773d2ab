/** Step 7: texts, encoded into memory that they share. */
import { equal } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import type { Scenarios } from './tools.ts';

const TEXTS = ['', 'Hello', 'Grüße', '你好，世界', '🎉'.repeat(1000)];

export const TEXT: Scenarios = [
  {
    what: 'Each text stays what it is, however many are encoded after it.',
    rules: [],
    check({ encodeText }) {
      const encoded = TEXTS.map((text) => encodeText(text));
      for (let i = 0; i < 100; i++) encodeText('x'.repeat(1000));
      for (const [i, text] of TEXTS.entries()) {
        equal(() => encoded[i], utf8(text), 'A text that was encoded stays what it is.', {
          given: [
            ['the text', show(text)],
            ['after it', '100 texts of 1000 characters'],
          ],
          label: 'its bytes, in the end',
          cause: () => 'Memory that was handed out is used again. Go on behind it.',
        });
      }
    },
  },
];
