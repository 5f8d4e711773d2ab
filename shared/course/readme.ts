/** A lesson's text, taken apart. */
import { sectionsIn } from './sections.ts';

/** One step of a lesson's text. */
export interface StepText {
  readonly number: number;
  readonly title: string;
  /** The sections that the line under the heading names, such as `5.2` or `RFC 7692 §6.1`. */
  readonly sections: readonly string[];
  /** Markdown, from the gentle one to the one that nearly gives it away. */
  readonly hints: readonly string[];
}

/** A block of code in a text. */
export interface Block {
  /** What follows the three backticks, such as `ts` or `ts example`. */
  readonly language: string;
  readonly code: string;
}

/** Finds the steps of a lesson's README, with their hints. */
export function stepsOf(markdown: string): StepText[] {
  return [...markdown.matchAll(/^## Step (\d+) · (.+)\n([\s\S]*?)(?=^## |(?![\s\S]))/gm)].map(
    ([, number, title = '', text = '']) => ({
      number: Number(number),
      title,
      sections: sectionsIn(/· (RFC .*)/.exec(text)?.[1] ?? ''),
      hints: [...text.matchAll(/<summary>Hint \d of 3<\/summary>\n([\s\S]*?)\n<\/details>/g)].map(
        ([, hint = '']) => hint.trim(),
      ),
    }),
  );
}

/** Finds the fenced blocks of code in a text. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```([\w ]*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', code = '']) => ({ language, code }),
  );
}
