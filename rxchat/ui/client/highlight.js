// Syntax colours by Shiki, a JavaScript library, while the code grows; without its WebAssembly, and with common languages only.
import { createCssVariablesTheme, createHighlighterCore } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";

/** Each is loaded when it is needed, by a name of its language; Shiki has such a file for each alias, too. */
const GRAMMARS = import.meta.glob([
  "/node_modules/shiki/dist/langs/{bash,sh,shell,zsh,console,c,cpp,cs,csharp,css,diff,docker,dockerfile,go,html,ini,java,js,mjs,javascript}.mjs",
  "/node_modules/shiki/dist/langs/{json,jsonc,jsx,kotlin,kt,lua,make,makefile,markdown,md,nginx,php,powershell,ps1,py,python,r,rb,ruby}.mjs",
  "/node_modules/shiki/dist/langs/{rs,rust,sql,swift,toml,ts,tsx,typescript,xml,yaml,yml}.mjs",
]);
/** Names that models write and Shiki does not know. */
const ALIASES = { "c++": "cpp", "c#": "csharp", golang: "go", node: "js", python3: "python", postgresql: "sql", psql: "sql", svg: "xml" };

const THEME = "rxchat";
/** @type {ReturnType<typeof createHighlighterCore> | null} */
let starting = null;
const loading = new Map();

function start() {
  starting ??= createHighlighterCore({
    themes: [createCssVariablesTheme({ name: THEME, variablePrefix: "--code-" })],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  return starting;
}

function grammarOf(name) {
  const plain = name.toLowerCase();
  return GRAMMARS[`/node_modules/shiki/dist/langs/${ALIASES[plain] ?? plain}.mjs`];
}

async function load(loadGrammar) {
  const [highlighter, { default: grammars }] = await Promise.all([start(), loadGrammar()]);
  await highlighter.loadLanguage(...grammars);
  return (code, grammarState) => highlighter.codeToTokens(code, { lang: grammars.at(-1).name, theme: THEME, grammarState });
}

/** A function that colours a growing text of one language: whole lines are coloured once and kept. Null for a language that stays plain. */
export async function createColourer(language) {
  const loadGrammar = grammarOf(language);
  if (!loadGrammar) return null;
  if (!loading.has(loadGrammar)) loading.set(loadGrammar, load(loadGrammar));
  const colour = await loading.get(loadGrammar);
  let sealed = { source: "", lines: [], state: undefined };
  return (code) => {
    if (!code.startsWith(sealed.source)) sealed = { source: "", lines: [], state: undefined };
    const end = code.lastIndexOf("\n") + 1;
    if (end > sealed.source.length) {
      const fresh = colour(code.slice(sealed.source.length, end - 1), sealed.state);
      sealed = { source: code.slice(0, end), lines: sealed.lines.concat(fresh.tokens), state: fresh.grammarState };
    }
    return sealed.lines.concat(colour(code.slice(end), sealed.state).tokens);
  };
}
