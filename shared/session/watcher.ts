import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** How long a file has to be quiet before a save counts as complete, in milliseconds. */
const QUIET_MS = 25;
/** How often we look for ourselves, where the system tells us nothing, in milliseconds. */
const LOOK_MS = 500;

/**
 * Calls `changed` after each save of a file, once for saves in quick succession. The folder is
 * watched, not the file, for editors that save by renaming. Returns a function that stops it.
 */
export function watchFile(file: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let seen = stamp(file);
  const check = () => {
    const now = stamp(file);
    if (now === seen) return;
    seen = now;
    clearTimeout(timer);
    timer = setTimeout(changed, QUIET_MS);
  };
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(dirname(file), (_, name) => {
      if (name === null || name === basename(file)) check();
    });
    watcher.on('error', () => {});
  } catch {
    // Some file systems cannot be watched. Looking is enough.
  }
  const looking = setInterval(check, LOOK_MS);
  return () => {
    watcher?.close();
    clearInterval(looking);
    clearTimeout(timer);
  };
}

/** What changes when a file is saved. */
function stamp(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats ? `${stats.ino} ${stats.size} ${stats.mtimeMs}` : 'missing';
}
