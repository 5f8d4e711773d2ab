/** What proxies do by themselves, whichever server is behind them. Lesson 09 says why. */

/** What a proxy does with requests of the suite, each by the id of its case. */
export interface Habits {
  /** The version that was looked at. */
  readonly version: string;
  /** It answers these itself: the server sees nothing of them. */
  readonly answered: readonly string[];
  /** It puts these right: the server sees nothing of what was wrong with them. */
  readonly repaired: readonly string[];
}

/** The habits of proxies with the configuration of lesson 09, by their names. */
export const HABITS: Readonly<Record<string, Habits>> = {
  haproxy: {
    version: '2.6',
    answered: ['H.40', 'H.41', 'H.42', 'H.43', 'H.52', 'H.53', 'H.55'],
    repaired: [],
  },
  nginx: {
    version: '1.22',
    answered: ['H.26', 'H.34', 'H.52', 'H.53', 'H.54', 'H.55'],
    repaired: ['H.33', 'H.37', 'H.38', 'H.39'],
  },
};
