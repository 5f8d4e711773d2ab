/** A lesson's text, taken apart. */

/** One step of a lesson's text. */
export interface StepText {
  readonly number: number;
  readonly title: string;
  /** The sections of RFC 6455 that the line under the heading names, such as `5.2`. */
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
      sections: [...(/· RFC 6455 (.*)/.exec(text)?.[1] ?? '').matchAll(/§(\d+(?:\.\d+)*)/g)].map(
        ([, section = '']) => section,
      ),
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
