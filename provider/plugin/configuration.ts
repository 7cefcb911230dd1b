import { settingName } from "../lifecycle/connection";
import { Problems } from "../lifecycle/problems";
import { isUnknown } from "../lifecycle/unknown";
import { nearestName } from "../text/nearest-name";
import { settings } from "./schema";
import type { Properties } from "./values";

/** Added by the engine to a provider's inputs. */
const OF_ENGINE = ["version", "pluginDownloadURL", "__internal"];

/** Reports unknown settings. Values are checked with the resources that use them. */
export function checkSettings(news: Properties): Problems {
  const problems = new Problems();
  for (const name of Object.keys(news))
    if (!(name in settings) && !OF_ENGINE.includes(name))
      problems.add(settingName(name), `is not a setting; ${nearestName(name, Object.keys(settings))}`);
  return problems;
}

/** The configuration in the form that `lifecycle/` reads. Settings with unknown values are left out. */
export function configurationOf(values: Properties): { get(key: string): unknown } {
  const known = Object.entries(values).filter(([, value]) => !isUnknown(value));
  const byKey = new Map(known.map(([name, value]) => [`xen:${name}`, plain(name, value)]));
  return { get: (key) => byKey.get(key) };
}

/** Every setting that is not text arrives as JSON. */
function plain(name: string, value: unknown): unknown {
  if (typeof value !== "string" || settings[name]?.type === "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    // The check of the resources that use it refuses it.
    return value;
  }
}
