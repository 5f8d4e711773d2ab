/** Goes through a tour: each scene in its turn, over the frames of a client. */
import type { DevTools } from '../../solutions/06-client/client.ts';
import { Narrator } from './narrator.ts';
import { Remote, type Scene } from './scene.ts';
import { tapClients } from './tap.ts';

/** The part of lesson 06 that drives. */
export interface Lesson06 {
  readonly DevTools: typeof DevTools;
}

/** The last thing that is done to any debugger. */
const GOODBYE: Scene = {
  title: 'It says goodbye',
  play: async (debuggee) => {
    await debuggee.close();
    return 'The connection has ended.';
  },
};

/** A tour that cannot go on. Its message is for people. */
export class TourError extends Error {
  override readonly name = 'TourError';

  /** Tells all that is known: the error, and what has caused it. */
  constructor(error: unknown) {
    const says = [];
    for (let why = error; why instanceof Error; why = why.cause) says.push(why.message);
    super(says.join(' ') || String(error), { cause: error });
  }
}

/** Shows every scene with the debugger at `url`. Rejects with `TourError`. */
export async function playTour(
  { DevTools }: Lesson06,
  url: string,
  scenes: readonly Scene[],
  width: number,
): Promise<void> {
  const narrator = new Narrator(width);
  const stopTapping = tapClients((crossing) => narrator.hear(crossing));
  try {
    const remote = new Remote((onEvent) => new DevTools(url, onEvent));
    for (const scene of [...scenes, GOODBYE]) {
      narrator.begin(scene.title);
      narrator.end(await scene.play(remote));
    }
  } catch (error) {
    throw new TourError(error);
  } finally {
    stopTapping();
  }
}
