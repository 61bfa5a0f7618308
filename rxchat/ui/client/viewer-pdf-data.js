// What PDF.js needs for PDFs that bring no fonts or character maps of their own: files of the build, from this server.
const DATA = /** @type {Record<string, any>} */ (
  import.meta.glob(["/node_modules/pdfjs-dist/cmaps/*.bcmap", "/node_modules/pdfjs-dist/standard_fonts/*.{pfb,ttf}"], {
    query: "?url&no-inline",
    import: "default",
    eager: true,
  })
);
const ADDRESSES = new Map(Object.entries(DATA).map(([path, url]) => [path.split("/").pop(), url]));

/** Fetches such a file by its name, in the page: the worker may fetch nothing. */
export class BuiltData {
  async fetch({ filename }) {
    const url = ADDRESSES.get(filename);
    if (!url) throw new Error(`There is no ${filename}.`);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${filename} cannot be fetched.`);
    return new Uint8Array(await response.arrayBuffer());
  }
}
