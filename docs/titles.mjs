import { Converter } from "typedoc";

/** Names each page of the website by its first heading, not by its file, and tells guides from examples. */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const heading = /^# (.+)\n/.exec(document.content[0]?.text ?? "");
    if (!heading) throw new Error(`${document.name} does not begin with a heading.`);
    document.frontmatter.group = document.name.startsWith("examples/") ? "Examples" : "Guides";
    document.name = heading[1].replaceAll("`", "");
  });
}
